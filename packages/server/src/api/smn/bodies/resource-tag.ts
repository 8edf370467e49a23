/** Tags of resources as the cloud's tag service writes them. */

import {
  CarillonError,
  type ResourceTagRequest,
  type TagBatch,
} from "@carillon/core";

/**
 * Reads one tag. Go clients leave empty values out: an absent value is an
 * empty one.
 *
 * @throws CarillonError RESOURCE_TAG_INVALID when it is no object
 */
export function readResourceTag(body: unknown): ResourceTagRequest {
  if (typeof body !== "object" || body === null) {
    throw invalidTag("an object of key and value is expected");
  }
  const value = "value" in body ? body.value : undefined;
  return { key: "key" in body ? body.key : undefined, value: value ?? "" };
}

/**
 * Reads the body of `tags/action`. Of tags to delete only the key matters.
 *
 * @throws CarillonError TAG_ACTION_INVALID, RESOURCE_TAG_INVALID
 */
export function readTagBatch(body: unknown): TagBatch {
  // Of what is no object there are no members, and so no action.
  const { action, tags } = (body ?? {}) as Record<string, unknown>;
  if (action !== "create" && action !== "delete") {
    throw new CarillonError(
      "TAG_ACTION_INVALID",
      "Invalid action: create or delete.",
    );
  }
  if (!Array.isArray(tags)) throw invalidTag("a list of tags is expected");
  const read = tags.map(readResourceTag);
  return action === "create"
    ? { action, tags: read }
    : { action, keys: read.map(({ key }) => key) };
}

function invalidTag(rule: string): CarillonError {
  return new CarillonError(
    "RESOURCE_TAG_INVALID",
    `Invalid resource tag: ${rule}.`,
  );
}
