/** Detections as they stand in their table. */

import type { DetectionResult, ProjectId } from "@carillon/core";
import { epochMs, json, optional, text, textOf } from "./codec.ts";
import { defineTable, type RowOf, type ValueOf } from "./table.ts";

const shape = {
  id: text,
  projectId: textOf<ProjectId>(),
  topicUrn: text,
  begunAt: epochMs,
  endsAt: epochMs,
  result: optional(json<DetectionResult>()),
};

export type DetectionRow = RowOf<ValueOf<typeof shape>>;

export const detections = defineTable("detections", shape);
