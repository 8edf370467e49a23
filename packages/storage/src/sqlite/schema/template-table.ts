/** Message templates as they stand in their table. */

import type {
  MessageTemplate,
  MessageTemplateId,
  MessageTemplateSummary,
  ProjectId,
  TemplateProtocol,
} from "@carillon/core";
import { epochMs, integer, json, text, textOf } from "./codec.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  seq: integer,
  id: textOf<MessageTemplateId>(),
  projectId: textOf<ProjectId>(),
  name: text,
  protocol: textOf<TemplateProtocol>(),
  tagNames: json<readonly string[]>(),
  createdAt: epochMs,
  updatedAt: epochMs,
  content: text,
};

export type TemplateRow = RowOf<MessageTemplate>;
export type TemplateSummaryRow = RowOf<MessageTemplateSummary>;

export const templates = defineTable("templates", shape);
/** Without what may be long. */
export const templateSummaries = defineTable(
  "templates",
  omit(shape, "content"),
);
export const newTemplates = defineTable("templates", omit(shape, "seq"));
