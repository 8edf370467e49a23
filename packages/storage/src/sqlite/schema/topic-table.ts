/** Topics as they stand in their table. */

import type { ProjectId, Topic, TopicId } from "@carillon/core";
import { epochMs, integer, text, textOf } from "./codec.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  seq: integer,
  id: textOf<TopicId>(),
  projectId: textOf<ProjectId>(),
  name: text,
  displayName: text,
  enterpriseProjectId: text,
  pushPolicy: integer,
  introduction: text,
  createdAt: epochMs,
  updatedAt: epochMs,
  accessPolicy: text,
};

export type TopicRow = RowOf<Topic>;

export const topics = defineTable("topics", shape);
export const newTopics = defineTable("topics", omit(shape, "seq"));
