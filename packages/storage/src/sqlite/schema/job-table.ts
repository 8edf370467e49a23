/** Jobs and the history of operators' actions, as they stand in their tables. */

import type {
  ClaimedJob,
  DeliveryActionRecord,
  DeliveryFilter,
  DeliveryJob,
  ProjectId,
  SkipReason,
  WalkPosition,
} from "@carillon/core";
import {
  code,
  computed,
  epochMs,
  integer,
  json,
  named,
  optional,
  text,
  textOf,
  truth,
} from "./codec.ts";
import { actionCodes, jobStateCodes, stateCodes } from "./codes.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  seq: integer,
  id: text,
  projectId: textOf<ProjectId>(),
  action: code(actionCodes),
  filter: json<DeliveryFilter>(),
  cancelledMessage: optional(integer),
  shownFilter: json<Readonly<Record<string, unknown>>>(),
  timeToLiveSeconds: optional(integer),
  reason: text,
  userId: text,
  userName: text,
  total: integer,
  isTotalExact: truth,
  createdAt: epochMs,
  state: code(jobStateCodes),
  done: integer,
  changed: integer,
  messages: integer,
  skipped: json<Readonly<Partial<Record<SkipReason, number>>>>(),
  startedAt: optional(epochMs),
  finishedAt: optional(epochMs),
  error: optional(text),
};

export type JobRow = RowOf<DeliveryJob>;

export const jobs = defineTable("jobs", shape);

/** What is not shown of a job. */
const workShape = { position: json<WalkPosition>(), fence: integer };

export const newJobs = defineTable("jobs", {
  ...omit(shape, "seq"),
  ...workShape,
});

/** A job with where it goes on. */
export type JobWork = DeliveryJob & {
  readonly position: WalkPosition;
  readonly fence: number;
};

export const jobWork = defineTable("jobs", { ...shape, ...workShape });

/** A claimed job: the job, then its fence. */
export type ClaimedJobRow = RowOf<DeliveryJob & Pick<ClaimedJob, "fence">>;

export const claimedJobs = defineTable("jobs", { ...shape, fence: integer });

export type ActionRow = RowOf<DeliveryActionRecord>;

/** History (a) beside the jobs (j) that have who and why. */
export const actionRecords = defineTable("delivery_actions", {
  at: epochMs,
  action: code(actionCodes),
  from: named("from_state", code(stateCodes)),
  to: named("to_state", code(stateCodes)),
  userId: computed("coalesce(j.user_id, a.user_id)", text),
  userName: computed("coalesce(j.user_name, a.user_name)", text),
  reason: computed("coalesce(j.reason, a.reason)", optional(text)),
  jobId: computed("j.id", optional(text)),
});

/** So many are shown of one delivery: the last ones. */
const maxShownActions = 100;

/** Newest first. Parameters: message, target. Index: the primary key. */
export const selectActions = `SELECT ${actionRecords.columns("a")}
  FROM delivery_actions AS a
  LEFT JOIN jobs AS j ON j.seq = a.job_seq
  WHERE a.message_seq = ? AND a.target = ?
  ORDER BY a.n DESC LIMIT ${maxShownActions}`;
