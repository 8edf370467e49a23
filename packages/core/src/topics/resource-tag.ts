/** Key-value tags by which owners sort their topics. */

import { CarillonError } from "../errors.ts";

/** A tag of a topic: a key with a value. */
export interface ResourceTag {
  /** Unique within a resource. */
  readonly key: string;
  readonly value: string;
}

/** A tag as an owner hands it over; unchecked. */
export interface ResourceTagRequest {
  readonly key: unknown;
  readonly value: unknown;
}

/** What is done with many tags of a resource at once; unchecked. */
export type TagBatch =
  | { readonly action: "create"; readonly tags: readonly ResourceTagRequest[] }
  | { readonly action: "delete"; readonly keys: readonly unknown[] };

/** Default quota of tags per topic (SMN limits). */
export const defaultTagsPerTopic = 20;

/** @throws CarillonError RESOURCE_TAG_INVALID */
export function checkTagKey(key: unknown): string {
  if (isTagText(key, 1, 128)) return key;
  throw invalidTag("a key is a text of 1 to 128 characters");
}

/** @throws CarillonError RESOURCE_TAG_INVALID */
export function checkResourceTag({
  key,
  value,
}: ResourceTagRequest): ResourceTag {
  return { key: checkTagKey(key), value: checkTagValue(value) };
}

/**
 * Checks tags that are added together: at least one, and different keys.
 *
 * @throws CarillonError RESOURCE_TAG_INVALID
 */
export function checkNewTags(
  tags: readonly ResourceTagRequest[],
): readonly ResourceTag[] {
  if (tags.length === 0) throw noTags();
  const checked = tags.map(checkResourceTag);
  if (new Set(checked.map(({ key }) => key)).size < checked.length) {
    throw invalidTag("keys are different");
  }
  return checked;
}

/**
 * Checks keys that are removed together: at least one; they may be unknown or
 * repeated.
 *
 * @throws CarillonError RESOURCE_TAG_INVALID
 */
export function checkTagKeys(keys: readonly unknown[]): readonly string[] {
  if (keys.length === 0) throw noTags();
  return [...new Set(keys.map(checkTagKey))];
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

function noTags(): CarillonError {
  return invalidTag("a list of tags, not empty, is expected");
}

function invalidTag(rule: string): CarillonError {
  return new CarillonError(
    "RESOURCE_TAG_INVALID",
    `Invalid resource tag: ${rule}.`,
  );
}
