/** Topics as they stand in their table. */

import type { SQLInputValue } from "node:sqlite";
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

/** Parameters of an INSERT; made by the main thread, written by the other. */
export type NewTopicRow = readonly SQLInputValue[];

export const topics = defineTable("topics", shape);
export const newTopics = defineTable("topics", omit(shape, "seq"));
