/** Writes of messages and of those who get them. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { stateCodes } from "../schema/codes.ts";
import {
  createdAtOf,
  type NewMessageRow,
  newMessages,
  projectIdOf,
  type RelatedObjectRows,
  topicSeqOf,
} from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { createCut } from "./range-writes.ts";

/** Who holds the first range of a message. */
export interface FirstRangeLease {
  readonly owner: string;
  /** On the store's monotonic time, in whole milliseconds. */
  readonly until: number;
  /** `null`: it is known to be shorter. */
  readonly rangeSize: number | null;
}

/** What became of the audience of a message that was accepted. */
export interface AcceptedRow {
  readonly seq: number;
  /** End of the range that is held, if one is; `null`: of the audience. */
  readonly uptoTarget?: number | null;
  /** How many, about, are in ranges that nobody holds. */
  readonly unclaimed: number;
}

/** A recipient that a message names itself. */
export type RecipientRow = readonly [
  protocol: string,
  endpoint: string,
  billable: boolean,
];

export function createMessageWrites(db: DatabaseSync, journal: ChangeJournal) {
  const insertMessage = createInsert(db);
  /**
   * Whether a topic has anybody to send to: when one of its subscriptions was
   * deleted with it, all were.
   * Parameters: topic. Index: subscriptions_active.
   */
  const firstStatus = prepareQuery<[status: number]>(
    db,
    `SELECT status FROM subscriptions INDEXED BY subscriptions_active
     WHERE topic_seq = ? AND status IN (1, 2, 5) LIMIT 1`,
  );
  /** Parameters: topic. Index: the primary key. */
  const subscriptionCount = prepareQuery<[count: number]>(
    db,
    "SELECT subscription_count FROM topics WHERE seq = ?",
  );
  /** Parameters: message, topic, end, when it is due, owner, end of the lease. */
  const insertHeld = db.prepare(
    `INSERT INTO ranges (message_seq, topic_seq, after_target, upto_target,
       due_at, fence, owner, lease_until)
     VALUES (?, ?, 0, ?, ?, 1, ?, ?)`,
  );
  const cut = createCut(db);
  /** Parameters: message, target, protocol, endpoint. */
  const insertRecipient = db.prepare(
    `INSERT INTO recipients (message_seq, target, protocol, endpoint)
     VALUES (?, ?, ?, ?)`,
  );
  /** Parameters: message, place, project, type, id. */
  const insertRelatedObject = db.prepare(
    `INSERT INTO related_objects (message_seq, n, project_id, type, id)
     VALUES (?, ?, ?, ?, ?)`,
  );
  const insertDue = createDueInsert(db);
  const counts = createCounts(db, journal);

  function relate(
    seq: number,
    message: NewMessageRow,
    objects: RelatedObjectRows,
  ): void {
    if (objects === null) return;
    for (const [n, [type, id]] of objects.entries()) {
      insertRelatedObject.run(seq, n, projectIdOf(message), type, id);
    }
  }

  return {
    /** `dueAt`: when it may go out. With a lease that is now. */
    acceptMessage(
      message: NewMessageRow,
      objects: RelatedObjectRows,
      dueAt: EpochMs,
      lease: FirstRangeLease | null,
    ): AcceptedRow {
      const seq = insertMessage(message);
      relate(seq, message, objects);
      // Of a message to a topic.
      const topicSeq = topicSeqOf(message) as number;
      const [status = statusCodes.deleted] = firstStatus.get(topicSeq) ?? [];
      if (status >= statusCodes.deleted) return { seq, unclaimed: 0 };
      const countOthers = (claimed: number) =>
        Math.max(1, (subscriptionCount.get(topicSeq)?.[0] ?? 0) - claimed);
      if (lease === null) {
        cut.addRest(seq, topicSeq, 0, null, dueAt);
        return { seq, unclaimed: countOthers(0) };
      }
      const { owner, until, rangeSize } = lease;
      const end =
        rangeSize === null ? undefined : cut.find(topicSeq, 0, null, rangeSize);
      const uptoTarget = end ?? null;
      insertHeld.run(seq, topicSeq, uptoTarget, dueAt, owner, until);
      if (end === undefined) return { seq, uptoTarget, unclaimed: 0 };
      cut.addRest(seq, topicSeq, end, null, dueAt);
      return { seq, uptoTarget, unclaimed: countOthers(rangeSize ?? 0) };
    },
    acceptDirectMessage(
      message: NewMessageRow,
      objects: RelatedObjectRows,
      dueAt: EpochMs,
      recipients: readonly RecipientRow[],
    ): number {
      const seq = insertMessage(message);
      relate(seq, message, objects);
      const countChanges = new CountChanges();
      for (const [target, recipient] of recipients.entries()) {
        const [protocol, endpoint, billable] = recipient;
        insertRecipient.run(seq, target, protocol, endpoint);
        insertDue(seq, target, dueAt, billable);
        countChanges.add(seq, target, stateCodes.waiting);
      }
      counts.add(countChanges, createdAtOf(message));
      return seq;
    },
  };
}

/** Keeps a message to one subscription, due at once. */
export function createNoticeWrite(db: DatabaseSync, journal: ChangeJournal) {
  const insertMessage = createInsert(db);
  const insertDue = createDueInsert(db);
  const counts = createCounts(db, journal);
  return (
    message: NewMessageRow,
    target: number,
    dueAt: EpochMs,
    billable: boolean,
  ): void => {
    const seq = insertMessage(message);
    insertDue(seq, target, dueAt, billable);
    const countChanges = new CountChanges();
    countChanges.add(seq, target, stateCodes.waiting);
    counts.add(countChanges, createdAtOf(message));
  };
}

/** Keeps a message and answers its number. */
function createInsert(db: DatabaseSync) {
  const insert = db.prepare(newMessages.insert);
  return (message: NewMessageRow): number =>
    Number(insert.run(...message).lastInsertRowid);
}

/** Adds a delivery that waits for its first attempt. */
function createDueInsert(db: DatabaseSync) {
  const insert = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts,
       next_attempt_at, fence, billable)
     VALUES (?, ?, ${stateCodes.waiting}, 0, ?, 0, ?)`,
  );
  return (
    messageSeq: number,
    target: number,
    at: EpochMs,
    billable: boolean,
  ): void => {
    insert.run(messageSeq, target, at, billable ? 1 : 0);
  };
}
