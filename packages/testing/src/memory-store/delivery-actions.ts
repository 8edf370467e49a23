/** What operators do to deliveries of the in-memory store, and their jobs. */

import {
  type ActionOrder,
  type ActionRefusal,
  type Actor,
  CarillonError,
  type DeliveryActionRecord,
  type DeliveryActionStore,
  type DeliveryFilter,
  type DeliveryJob,
  decideAction,
  type EpochMs,
  isForMessages,
  isJobOver,
  isNewerThanJob,
  isSettled,
  type JobStep,
  type MailboxRoom,
  type Message,
  type NewDeliveryJob,
  type ProjectId,
  type Recipient,
  type WalkLimits,
  type WalkPosition,
} from "@carillon/core";
import { claimFactsOf, findRecipient, topicOf } from "./deliveries.ts";
import { freed, type Holds } from "./holds.ts";
import { getMessage, listDeliveries, newestAt } from "./ledger.ts";
import { equals } from "./lists.ts";
import { whyNotQueued } from "./mailbox-admission.ts";
import { depthOf } from "./mailboxes.ts";
import { unfinished } from "./outcomes.ts";
import {
  type DeliveryRow,
  deliveryKey,
  type JobRow,
  type QueuedDelivery,
} from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

export function createDeliveryActionStore(
  tables: Tables,
  holds: Holds,
): DeliveryActionStore {
  const { jobs, write } = tables;
  const holding = ({ job, fence }: { job: DeliveryJob; fence: number }) => {
    const row = jobs.get(job.seq);
    return row?.fence === fence && row.state === "running" ? row : undefined;
  };
  return {
    actOnDelivery: (key, order, by) =>
      write(() => {
        const row = tables.deliveries.get(deliveryKey(key));
        if (!row) return undefined;
        const { refused, mailbox } = act(tables, row, order, by);
        const now = tables.deliveries.get(deliveryKey(key)) ?? row;
        if (refused === undefined) return { state: now.state };
        const lastAction = now.actions.at(-1);
        return {
          state: now.state,
          refused,
          ...(mailbox && { mailbox }),
          ...(lastAction && { lastAction }),
        };
      }),
    async countDeliveries(projectId, filter, from, limits) {
      const { rows, next } = walk(tables, projectId, filter, from, limits);
      return { count: rows.length, ...(next && { next }) };
    },
    async countOpenMessages(projectId, filter, { from, to }) {
      const stretch = {
        from: to?.beforeMessage ?? filter.messageSeq ?? 0,
        before: from?.beforeMessage ?? Number.POSITIVE_INFINITY,
      };
      return listOpen(tables, projectId, filter, stretch).length;
    },
    createJob: (job, quota) =>
      write(() => {
        const { projectId, filter, cancelledMessage } = job;
        const open = jobs
          .list()
          .filter((it) => equals(it, { projectId }) && !isJobOver(it.state))
          .filter((it) => isCancellation(it) === isCancellation(job));
        if (open.length >= quota) throw new CarillonError("JOB_QUOTA_EXCEEDED");
        if (tables.deletedProjects.has(projectId)) {
          throw new CarillonError("PROJECT_DELETED");
        }
        const seq = jobs.size + 1;
        let messages = 0;
        if (cancelledMessage !== undefined) {
          if (tables.cancelledMessages.has(cancelledMessage)) {
            throw new CarillonError("MESSAGE_STATE_CONFLICT");
          }
          const before = cancelledMessage + 1;
          const stretch = { from: cancelledMessage, before };
          messages = listOpen(tables, projectId, filter, stretch).length;
          cancelMessage(tables, cancelledMessage, seq, job.createdAt);
        }
        return toJob(
          jobs.put(seq, {
            ...job,
            seq,
            state: "queued",
            done: 0,
            changed: 0,
            messages,
            skipped: {},
            position: { beforeMessage: tables.messages.size + 1 },
            fence: 0,
          }),
        );
      }),
    async findJob(projectId, id) {
      const row = jobs.list().find((it) => equals(it, { projectId, id }));
      return row && toJob(row);
    },
    async listJobs(projectId, { limit, before = Number.POSITIVE_INFINITY }) {
      return jobs
        .list()
        .filter((it) => it.seq < before && equals(it, { projectId }))
        .reverse()
        .slice(0, limit)
        .map(toJob);
    },
    cancelJob: (projectId, id, at) =>
      write(() => {
        const row = jobs.list().find((it) => equals(it, { projectId, id }));
        if (!row || isJobOver(row.state)) return false;
        const state = "cancelled";
        jobs.put(row.seq, { ...freed(row), state, finishedAt: at });
        return true;
      }),
    claimJob: (lease, now) =>
      write(() => {
        const row = jobs
          .list()
          .find(
            ({ state, hold }) =>
              !isJobOver(state) && (!hold || holds.hasEnded(hold)),
          );
        if (!row) return undefined;
        const claimed = jobs.put(row.seq, {
          ...row,
          state: "running",
          startedAt: row.startedAt ?? now,
          fence: row.fence + 1,
          hold: holds.grant(lease),
        });
        return { job: toJob(claimed), fence: claimed.fence };
      }),
    advanceJob: (claim, step) =>
      write(() => {
        const row = holding(claim);
        return row && toJob(advance(tables, holds, row, step));
      }),
    failJob: (claim, error, at) =>
      write(() => {
        const { hold: _, ...row } = holding(claim) ?? {};
        if (!("seq" in row)) return;
        const end = { state: "failed" as const, error, finishedAt: at };
        jobs.put(row.seq, { ...row, ...end });
      }),
    releaseJob: (claim) =>
      write(() => {
        const row = holding(claim);
        if (row?.hold) jobs.put(row.seq, freed(row));
      }),
    releaseAllJobs: () =>
      write(() => {
        for (const row of jobs.list()) {
          if (row.hold) jobs.put(row.seq, freed(row));
        }
      }),
  };
}

function isCancellation({ cancelledMessage }: NewDeliveryJob): boolean {
  return cancelledMessage !== undefined;
}

function toJob(row: JobRow): DeliveryJob {
  const { position: _p, fence: _f, hold: _h, ...job } = row;
  return job;
}

function advance(
  tables: Tables,
  holds: Holds,
  job: JobRow,
  { now, lives, pullProtocols, limits, lease }: JobStep,
): JobRow {
  const { projectId, filter, position, action, timeToLiveSeconds } = job;
  const found = walk(tables, projectId, filter, position, limits);
  const order = {
    action,
    now,
    lives,
    pullProtocols,
    ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
  };
  const by = { ...job, jobId: job.id };
  const skipped = { ...job.skipped };
  let { done, changed } = job;
  for (const row of found.rows) {
    // It did so before, and the delivery matches again.
    if (row.actions.some(({ jobId }) => jobId === job.id)) continue;
    const attemptAt = row.lastAttempt?.at;
    const refused = isNewerThanJob(job, attemptAt, row.actions.at(-1)?.at)
      ? "state"
      : act(tables, row, order, by).refused;
    done++;
    if (refused === undefined) changed++;
    else skipped[refused] = (skipped[refused] ?? 0) + 1;
  }
  let { messages } = job;
  if (isForMessages(action, filter)) {
    const from = found.next?.beforeMessage ?? filter.messageSeq ?? 0;
    const stretch = { from, before: position.beforeMessage };
    for (const seq of listOpen(tables, projectId, filter, stretch)) {
      cancelMessage(tables, seq, job.seq, now);
      messages++;
    }
  }
  const { hold: _, ...rest } = job;
  const next = { ...rest, done, changed, messages, skipped };
  return tables.jobs.put(
    job.seq,
    found.next
      ? { ...next, position: found.next, hold: holds.grant(lease) }
      : { ...next, state: "done", finishedAt: now },
  );
}

/** Messages of a stretch of numbers that are not fully fanned out, nor cancelled. */
function listOpen(
  { messages, ranges, cancelledMessages }: Tables,
  projectId: ProjectId,
  { topicSeq, since, until }: DeliveryFilter,
  { from, before }: { readonly from: number; readonly before: number },
): number[] {
  return messages
    .list()
    .filter(({ seq }) => seq >= from && seq < before)
    .filter(({ seq }) => !cancelledMessages.has(seq))
    .filter((it) => it.projectId === projectId)
    .filter((it) => topicSeq === undefined || it.topic?.seq === topicSeq)
    .filter(({ createdAt }) => since === undefined || createdAt >= since)
    .filter(({ createdAt }) => until === undefined || createdAt < until)
    .map(({ seq }) => seq)
    .filter((seq) => ranges.list().some((row) => row.messageSeq === seq));
}

function cancelMessage(
  { ranges, cancelledMessages }: Tables,
  messageSeq: number,
  jobSeq: number,
  at: EpochMs,
): void {
  if (cancelledMessages.has(messageSeq)) return;
  cancelledMessages.put(messageSeq, { at, jobSeq });
  ranges.deleteWhere((row) => row.messageSeq === messageSeq && !row.hold);
}

/** Answers why it was refused, if so, and what mailbox took none. */
function act(
  tables: Tables,
  row: DeliveryRow,
  order: ActionOrder,
  by: Actor & { readonly reason?: string; readonly jobId?: string },
): { readonly refused?: ActionRefusal; readonly mailbox?: MailboxRoom } {
  const message = getMessage(tables, row.messageSeq);
  const recipient = findRecipient(tables, row);
  if (!recipient) throw new Error(`Nobody is target ${row.target}.`);
  const decide = () => {
    const mailbox = roomFor(tables, row);
    return decideAction(
      {
        ...claimFactsOf(tables, row),
        state: row.state,
        nextAttemptAt: row.nextAttemptAt,
        expiresAt: row.expiresAt,
        protocol: recipient.protocol,
        ...(mailbox && { mailbox }),
        message,
      },
      order,
    );
  };
  let decision = decide();
  if (decision.refused === "not_queued" && recipient.mailbox !== undefined) {
    whyNotQueued(tables, recipient.mailbox, order.now);
    decision = decide();
  }
  if (decision.refused !== undefined) return decision;
  const { to, nextAttemptAt, expiresAt, isFetched } = decision;
  const record: DeliveryActionRecord = {
    at: order.now,
    action: order.action,
    from: row.state,
    to,
    userId: by.userId,
    userName: by.userName,
    ...(by.reason !== undefined && { reason: by.reason }),
    ...(by.jobId !== undefined && { jobId: by.jobId }),
  };
  const {
    nextAttemptAt: _,
    waitReason: _ended,
    pull: _over,
    ...rest
  } = unfinished(freed(row));
  const changed = tables.deliveries.put(deliveryKey(row), {
    ...rest,
    state: to,
    ...(nextAttemptAt !== undefined && {
      nextAttemptAt,
      resentAfter: row.attempts,
    }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(expiresAt !== undefined &&
      isFetched && {
        attempts: 0,
        pull: toQueued(message, recipient, expiresAt),
      }),
    actions: [...row.actions, record],
  });
  if (!isSettled(row.state) && isSettled(to)) {
    countSettled(tables, changed, order.now);
  }
  return {};
}

/** How full the mailbox is that a delivery would be fetched from. */
function roomFor(tables: Tables, row: DeliveryRow): MailboxRoom | undefined {
  const { mailbox: seq = 0 } = findRecipient(tables, row) ?? {};
  const mailbox = tables.mailboxes.get(seq);
  if (!mailbox) return undefined;
  const { quota, disabled } = mailbox;
  const depth = depthOf(tables, seq);
  return { quota, depth, ...(disabled && { disabled }) };
}

/** What is resent is in its subscription's mailbox again, as never handed out. */
function toQueued(
  { orderingKey }: Message,
  { target, mailbox }: Recipient,
  expiresAt: EpochMs,
): QueuedDelivery {
  if (mailbox === undefined) {
    throw new Error(`Subscription ${target} has no mailbox.`);
  }
  return {
    mailbox,
    expiresAt,
    ...(orderingKey !== undefined && { orderingKey }),
  };
}

/** Newest message first; see the port. */
function walk(
  tables: Tables,
  projectId: ProjectId,
  filter: DeliveryFilter,
  from: WalkPosition = { beforeMessage: Number.MAX_SAFE_INTEGER },
  { maxMessages, maxDeliveries }: WalkLimits,
): { rows: DeliveryRow[]; next?: WalkPosition } {
  const { messageSeq, since = 0, until } = filter;
  const page = tables.messages
    .list()
    .filter((it) => it.seq < from.beforeMessage && it.projectId === projectId)
    .reverse();
  const rows: DeliveryRow[] = [];
  let looked = 0;
  let { beforeMessage } = from;
  const enter = (within: NonNullable<WalkPosition["within"]>) => {
    let { stateIndex, afterTarget } = within;
    for (; stateIndex < filter.states.length; stateIndex++) {
      const state = filter.states[stateIndex];
      const matching = listDeliveries(tables, within.messageSeq)
        .filter((it) => it.state === state && it.target > afterTarget)
        .sort((a, b) => a.target - b.target);
      for (const row of matching) {
        if (looked === maxDeliveries) {
          return { ...within, stateIndex, afterTarget };
        }
        looked++;
        afterTarget = row.target;
        if (passes(tables, row, filter)) rows.push(row);
      }
      afterTarget = -1;
    }
    return undefined;
  };
  if (from.within) {
    const within = enter(from.within);
    if (within) return { rows, next: { beforeMessage, within } };
  }
  for (const message of page.slice(0, maxMessages)) {
    const { seq, createdAt } = message;
    if (newestAt(tables, seq) < since || seq < (messageSeq ?? 0)) {
      return { rows };
    }
    beforeMessage = seq;
    if (createdAt < since) continue;
    if (messageSeq !== undefined && seq !== messageSeq) continue;
    if (until !== undefined && createdAt >= until) continue;
    const start = { messageSeq: seq, stateIndex: 0, afterTarget: -1 };
    const within = enter(start);
    if (within) return { rows, next: { beforeMessage, within } };
  }
  return page.length > maxMessages
    ? { rows, next: { beforeMessage } }
    : { rows };
}

function passes(
  tables: Tables,
  row: DeliveryRow,
  { protocol, endpoint, errorClass, provider, topicSeq }: DeliveryFilter,
): boolean {
  const recipient = findRecipient(tables, row);
  return (
    (topicSeq === undefined || topicOf(tables, row)?.seq === topicSeq) &&
    (protocol === undefined || recipient?.protocol === protocol) &&
    (endpoint === undefined || recipient?.endpoint === endpoint) &&
    (errorClass === undefined || row.lastAttempt?.errorClass === errorClass) &&
    (provider === undefined || row.lastAttempt?.provider === provider)
  );
}
