/** Publisher accounts and their categories, as they stand in their tables. */

import type { ProjectId, PublisherId, PullPublisher } from "@carillon/core";
import { epochMs, flag, integer, text, textOf } from "./codec.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  seq: integer,
  id: textOf<PublisherId>(),
  projectId: textOf<ProjectId>(),
  name: text,
  secretHash: text,
  topicName: text,
  disabled: flag,
  createdAt: epochMs,
};

export type PublisherRow = RowOf<PullPublisher>;

export const publishers = defineTable("publishers", shape);
export const newPublishers = defineTable("publishers", omit(shape, "seq"));

const categoryShape = {
  publisherId: textOf<PublisherId>(),
  reference: text,
  topicName: text,
  createdAt: epochMs,
};

export const categories = defineTable("categories", categoryShape);
/** With the project, by which they are found from their topics. */
export const newCategories = defineTable("categories", {
  ...categoryShape,
  projectId: textOf<ProjectId>(),
});
