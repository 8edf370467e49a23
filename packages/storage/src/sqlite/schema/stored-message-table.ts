/** What stored messages have beyond messages and deliveries, as it is kept. */

import type { Attachment, RelatedObject } from "@carillon/core";
import { epochMs, integer, optional, text } from "./codec.ts";
import { defineTable } from "./table.ts";

/** Without their bytes, and without the message that they are of. */
export const attachments = defineTable("attachments", {
  name: text,
  contentType: text,
  contentId: optional(text),
  size: integer,
});

/** Without the message that is about them. */
export const storedObjects = defineTable("related_objects", {
  type: text,
  id: text,
  createdAt: epochMs,
  changedAt: epochMs,
});

/** As they cross to the writer. */
export type AttachmentRow = readonly [
  name: string,
  contentType: string,
  contentId: string | null,
  size: number,
  content: Uint8Array,
];

export type RelatedObjectRow = readonly [type: string, id: string];

export function toAttachmentRow({
  name,
  contentType,
  contentId,
  content,
}: Attachment): AttachmentRow {
  return [name, contentType, contentId ?? null, content.byteLength, content];
}

export function toObjectRows(
  objects: readonly RelatedObject[],
): RelatedObjectRow[] {
  return objects.map(({ type, id }) => [type, id] as const);
}
