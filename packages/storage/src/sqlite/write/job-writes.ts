/** Writes of jobs: actions of operators on all deliveries that match a filter. */

import type { DatabaseSync } from "node:sqlite";
import type {
  EpochMs,
  JobStep,
  NewDeliveryJob,
  SkipReason,
  WalkPosition,
} from "@carillon/core";
import {
  type ActionFacts,
  isForMessages,
  isNewerThanJob,
} from "@carillon/core/rules";
import { jobStateCodes } from "../schema/codes.ts";
import {
  createDeliveryWalk,
  lastAttemptOf,
  startOfWalk,
  toActionFacts,
  type WalkRow,
} from "../schema/delivery-walk.ts";
import {
  type ClaimedJobRow,
  claimedJobs,
  type JobRow,
  type JobWork,
  jobs,
  jobWork,
  newJobs,
} from "../schema/job-table.ts";
import { createOpenMessages, stretchOf } from "../schema/open-messages.ts";
import { prepareQuery } from "../schema/query.ts";
import type { RowOf } from "../schema/table.ts";
import { ActionTotals, createActions } from "./action-writes.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";
import { createMessageCancellation } from "./message-cancellation.ts";

const { queued, running, done, cancelled, failed } = jobStateCodes;

/** A step as it crosses to the writer: with the end of its lease. */
export interface JobStepOrder extends Omit<JobStep, "lease"> {
  readonly owner: string;
  /** On the store's monotonic time. */
  readonly leaseUntil: number;
}

export function createJobWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
  notices: ChangeNotices,
) {
  const insert = db.prepare(newJobs.insert);
  const bySeq = prepareQuery<JobRow>(
    db,
    `SELECT ${jobs.columns()} FROM jobs WHERE seq = ?`,
  );
  /** Parameters: project, whether cancellations of messages. Index: jobs_open. */
  const countOpen = prepareQuery<[open: number]>(
    db,
    `SELECT count(*) FROM jobs INDEXED BY jobs_open
     WHERE project_id = ? AND state IN (0, 1)
       AND (cancelled_message IS NOT NULL) = ?`,
  );
  const lastMessage = prepareQuery<[seq: number | null]>(
    db,
    "SELECT max(seq) FROM messages",
  );
  const cancel = db.prepare(
    `UPDATE jobs SET state = ${cancelled}, finished_at = ?, owner = NULL,
       lease_until = NULL, fence = fence + 1
     WHERE id = ? AND project_id = ? AND state IN (${queued}, ${running})`,
  );
  /** Parameters: now on the store's monotonic time. Index: jobs_open. */
  const free = prepareQuery<[seq: number]>(
    db,
    `SELECT seq FROM jobs INDEXED BY jobs_open
     WHERE state IN (0, 1) AND (owner IS NULL OR lease_until <= ?)
     ORDER BY seq LIMIT 1`,
  );
  const claim = db.prepare(
    `UPDATE jobs SET state = ${running}, fence = fence + 1, owner = ?,
       lease_until = ?, started_at = coalesce(started_at, ?)
     WHERE seq = ?`,
  );
  const claimed = prepareQuery<ClaimedJobRow>(
    db,
    `SELECT ${claimedJobs.columns()} FROM jobs WHERE seq = ?`,
  );
  /** Parameters: job, fence. */
  const held = prepareQuery<RowOf<JobWork>>(
    db,
    `SELECT ${jobWork.columns()} FROM jobs
     WHERE seq = ? AND fence = ? AND state = ${running}`,
  );
  const advance = db.prepare(
    `UPDATE jobs SET done = ?, changed = ?, messages = messages + ?,
       skipped = ?, position = ?, owner = ?, lease_until = ?
     WHERE seq = ?`,
  );
  const finish = db.prepare(
    `UPDATE jobs SET state = ${done}, finished_at = ?, owner = NULL,
       lease_until = NULL
     WHERE seq = ?`,
  );
  /** Parameters: now, error, job, fence. */
  const fail = db.prepare(
    `UPDATE jobs SET state = ${failed}, finished_at = ?, error = ?,
       owner = NULL, lease_until = NULL
     WHERE seq = ? AND fence = ? AND state = ${running}`,
  );
  const release = db.prepare(
    `UPDATE jobs SET owner = NULL, lease_until = NULL, fence = fence + 1
     WHERE seq = ? AND fence = ? AND owner IS NOT NULL`,
  );
  const releaseAll = db.prepare(
    `UPDATE jobs INDEXED BY jobs_open
     SET owner = NULL, lease_until = NULL, fence = fence + 1
     WHERE state IN (0, 1) AND owner IS NOT NULL`,
  );
  /** Parameters: message, target, job. Index: the primary key. */
  const lastActions = prepareQuery<
    [lastAt: EpochMs | null, isOfJob: number | null]
  >(
    db,
    `SELECT max(at), max(job_seq IS ?3) FROM delivery_actions
     WHERE message_seq = ?1 AND target = ?2`,
  );
  const walk = createDeliveryWalk((sql) => prepareQuery(db, sql));
  const openMessages = createOpenMessages((sql) => prepareQuery(db, sql));
  const cancellation = createMessageCancellation(db, notices);
  const act = createActions(db, journal);
  const isDeletedProject = createDeletedProjectCheck(db);

  /** `undefined`: the job did it before, and it matches again. */
  function actOn(
    row: WalkRow,
    job: JobWork,
    step: JobStepOrder,
    totals: ActionTotals,
  ): "changed" | SkipReason | undefined {
    const { seq: jobSeq, action, timeToLiveSeconds } = job;
    const [actionAt, isDone] = lastActions.get(row[0], row[1], jobSeq) ?? [];
    if (isDone) return undefined;
    if (isNewerThanJob(job, lastAttemptOf(row), actionAt ?? undefined)) {
      return "state";
    }
    const order = {
      action,
      now: step.now,
      lives: step.lives,
      pullProtocols: step.pullProtocols,
      ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
    };
    let facts: ActionFacts;
    try {
      facts = toActionFacts(row);
    } catch {
      // Of a damaged database: it holds up no other.
      return "unreadable";
    }
    const source = { jobSeq };
    return act(row, facts, order, source, totals).refused ?? "changed";
  }

  /** Ends the fan-out of what the step came past; answers of how many. */
  function cancelMessages(
    { seq: jobSeq, action, projectId, filter, position }: JobWork,
    next: WalkPosition | undefined,
    { now, limits }: JobStepOrder,
  ): number {
    if (!isForMessages(action, filter)) return 0;
    const { maxMessages } = limits;
    const stretch = stretchOf(filter, position, next, maxMessages);
    const found = openMessages(projectId, filter, stretch);
    for (const seq of found) cancellation.cancel(seq, jobSeq, now);
    return found.length;
  }

  return {
    createJob(
      job: NewDeliveryJob,
      quota: number,
    ):
      | { seq: number; messages: number }
      | "JOB_QUOTA_EXCEEDED"
      | "MESSAGE_STATE_CONFLICT"
      | "PROJECT_DELETED" {
      const { projectId, filter, cancelledMessage } = job;
      const isCancellation = cancelledMessage !== undefined;
      const [open] = countOpen.get(projectId, isCancellation ? 1 : 0) ?? [0];
      if (open >= quota) return "JOB_QUOTA_EXCEEDED";
      if (isDeletedProject(projectId)) return "PROJECT_DELETED";
      if (isCancellation && !cancellation.isPossible(cancelledMessage)) {
        return "MESSAGE_STATE_CONFLICT";
      }
      const upto = (lastMessage.get()?.[0] ?? 0) + 1;
      const messages =
        isCancellation && cancellation.hasRanges(cancelledMessage) ? 1 : 0;
      const row = newJobs.toRow({
        ...job,
        state: "queued",
        done: 0,
        changed: 0,
        messages,
        skipped: {},
        position: startOfWalk(filter, upto),
        fence: 0,
      });
      const seq = Number(insert.run(...row).lastInsertRowid);
      if (isCancellation) {
        cancellation.cancel(cancelledMessage, seq, job.createdAt);
      }
      return { seq, messages };
    },
    cancelJob(projectId: string, id: string, at: EpochMs): boolean {
      return cancel.run(at, id, projectId).changes > 0;
    },
    claimJob(
      owner: string,
      leaseUntil: number,
      monotonicNow: number,
      now: EpochMs,
    ): ClaimedJobRow | undefined {
      const [seq] = free.get(monotonicNow) ?? [];
      if (seq === undefined) return undefined;
      claim.run(owner, leaseUntil, now, seq);
      return claimed.get(seq);
    },
    advanceJob(
      seq: number,
      fence: number,
      step: JobStepOrder,
    ): JobRow | undefined {
      const found = held.get(seq, fence);
      if (found === undefined) return undefined;
      const job = jobWork.fromRow(found);
      const { projectId, filter, position } = job;
      // It looks at counts, which may have changed in this transaction.
      journal.writeSums();
      const { rows, next } = walk.find(
        projectId,
        filter,
        position,
        step.limits,
      );
      const totals = new ActionTotals();
      const skipped: Partial<Record<SkipReason, number>> = { ...job.skipped };
      let { done, changed } = job;
      for (const row of rows) {
        const result = actOn(row, job, step, totals);
        if (result === undefined) continue;
        done++;
        if (result === "changed") changed++;
        else skipped[result] = (skipped[result] ?? 0) + 1;
      }
      journal.addCounts(totals.countChanges, step.now);
      journal.addSettled(totals.settledCounts);
      const messages = cancelMessages(job, next, step);
      advance.run(
        done,
        changed,
        messages,
        JSON.stringify(skipped),
        JSON.stringify(next ?? position),
        step.owner,
        step.leaseUntil,
        seq,
      );
      if (next === undefined) finish.run(step.now, seq);
      return bySeq.get(seq);
    },
    failJob(seq: number, fence: number, error: string, at: EpochMs): void {
      fail.run(at, error, seq, fence);
    },
    releaseJob(seq: number, fence: number): void {
      release.run(seq, fence);
    },
    releaseAllJobs(): void {
      releaseAll.run();
    },
  };
}
