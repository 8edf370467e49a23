/** Key-value tags by which owners sort their topics. */

import { CarillonError } from "../errors.ts";

export interface ResourceTag {
  /** Unique within a resource. */
  readonly key: string;
  readonly value: string;
}

/** What `tags/action` is asked to do. */
export type TagBatch =
  | { readonly action: "create"; readonly tags: readonly ResourceTag[] }
  | { readonly action: "delete"; readonly keys: readonly string[] };

/** Default quota of tags per topic (SMN limits). */
export const defaultTagsPerTopic = 20;

/** @throws CarillonError RESOURCE_TAG_INVALID */
export function checkTagKey(key: unknown): string {
  if (isTagText(key, 1, 128)) return key;
  throw invalidTag("a key is a text of 1 to 128 characters");
}

/**
 * Checks one tag as it comes on the wire. Go clients leave empty values out:
 * an absent value is an empty one.
 *
 * @throws CarillonError RESOURCE_TAG_INVALID
 */
export function parseResourceTag(tag: unknown): ResourceTag {
  if (typeof tag !== "object" || tag === null) {
    throw invalidTag("an object of key and value is expected");
  }
  const { key, value } = tag as Record<string, unknown>;
  return { key: checkTagKey(key), value: checkTagValue(value ?? "") };
}

/**
 * Checks the body of a batch of tags. Keys to create are different; keys to
 * delete may be unknown or repeated, and their values do not matter.
 *
 * @throws CarillonError TAG_ACTION_INVALID, RESOURCE_TAG_INVALID
 */
export function parseTagBatch(body: unknown): TagBatch {
  const { action, tags } = (body ?? {}) as Record<string, unknown>;
  if (action !== "create" && action !== "delete") {
    throw new CarillonError(
      "TAG_ACTION_INVALID",
      "Invalid action: create or delete.",
    );
  }
  if (!Array.isArray(tags) || tags.length === 0) {
    throw invalidTag("a list of tags, not empty, is expected");
  }
  if (action === "delete") {
    const keys = tags.map((tag: { key?: unknown } | null) =>
      checkTagKey(tag?.key),
    );
    return { action, keys: [...new Set(keys)] };
  }
  const parsed = tags.map(parseResourceTag);
  if (new Set(parsed.map(({ key }) => key)).size < parsed.length) {
    throw invalidTag("keys are different");
  }
  return { action, tags: parsed };
}

/**
 * A resource's tags after others were added; a key that is there already gets
 * the new value. Nothing of it when the result would exceed the quota.
 *
 * @throws CarillonError RESOURCE_TAG_QUOTA_EXCEEDED
 */
export function mergeResourceTags(
  present: readonly ResourceTag[],
  added: readonly ResourceTag[],
  quota = defaultTagsPerTopic,
): ResourceTag[] {
  const values = new Map(
    [...present, ...added].map(({ key, value }) => [key, value]),
  );
  // Who is above a quota that was lowered later can still change values.
  if (values.size > quota && values.size > present.length) {
    throw new CarillonError(
      "RESOURCE_TAG_QUOTA_EXCEEDED",
      `Too many tags: at most ${quota} per resource.`,
    );
  }
  return [...values].map(([key, value]) => ({ key, value }));
}

/** Text of that many characters that can be stored, shown and compared. */
export function isTagText(
  text: unknown,
  min: number,
  max: number,
): text is string {
  if (typeof text !== "string" || text.length > 2 * max) return false;
  const characters = [...text].length;
  return (
    characters >= min &&
    characters <= max &&
    text.isWellFormed() &&
    !/\p{Cc}/u.test(text)
  );
}

function checkTagValue(value: unknown): string {
  if (isTagText(value, 0, 255)) return value;
  throw invalidTag("a value is a text of at most 255 characters");
}

function invalidTag(rule: string): CarillonError {
  return new CarillonError(
    "RESOURCE_TAG_INVALID",
    `Invalid resource tag: ${rule}.`,
  );
}
