/** Templates of stored messages as they stand in their tables. */

import type {
  Attachment,
  DisallowedObject,
  StoredChannel,
  StoredTemplate,
} from "@carillon/core";
import { blob, epochMs, optional, text, textOf, truth } from "./codec.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  channel: textOf<StoredChannel>(),
  slug: text,
  isActive: truth,
  isLocked: truth,
  allowsDuplicates: truth,
  isStrict: truth,
  subject: optional(text),
  isHtml: optional(truth),
  sender: optional(text),
  senderName: optional(text),
  createdAt: epochMs,
  changedAt: epochMs,
  body: text,
};

export type StoredTemplateRow = RowOf<Omit<StoredTemplate, "attachments">>;
export type StoredTemplateSummaryRow = RowOf<
  Omit<StoredTemplate, "attachments" | "body">
>;
export type TemplateAttachmentRow = RowOf<Attachment>;
export type DisallowedRow = RowOf<DisallowedObject>;

export const storedTemplates = defineTable("stored_templates", shape);
/** Without what may be long. */
export const storedTemplateSummaries = defineTable(
  "stored_templates",
  omit(shape, "body"),
);
export const templateAttachments = defineTable("stored_template_attachments", {
  name: text,
  contentType: text,
  contentId: optional(text),
  content: blob,
});
export const disallowedObjects = defineTable("disallowed_objects", {
  type: text,
  id: text,
  createdAt: epochMs,
});

/** How the scope of all templates of a channel stands in its column. */
export const allSlugs = "";
