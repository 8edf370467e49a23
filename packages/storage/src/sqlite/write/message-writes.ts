/** Writes of messages and of those who get them. */

import type { DatabaseSync } from "node:sqlite";
import { stateCodes } from "../schema/codes.ts";
import {
  createdAtOf,
  type NewMessageRow,
  newMessages,
  topicSeqOf,
} from "../schema/message-table.ts";
import { prepareQuery, type SQLInputValue } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges, createCounts } from "./message-counts.ts";

/**
 * Owner, and end of the lease on the store's monotonic time in whole
 * milliseconds; `null`: nobody holds it.
 */
export type LeaseValues = [owner: string, until: number] | null;

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
  /** Parameters: message, fence, owner, end of the lease. */
  const insertFirstRange = db.prepare(
    `INSERT INTO ranges
       (message_seq, after_target, upto_target, fence, owner, lease_until)
     VALUES (?, 0, NULL, ?, ?, ?)`,
  );
  /** Parameters: message, target, protocol, endpoint. */
  const insertRecipient = db.prepare(
    `INSERT INTO recipients (message_seq, target, protocol, endpoint)
     VALUES (?, ?, ?, ?)`,
  );
  const insertDue = createDueInsert(db);
  const counts = createCounts(db, journal);

  return {
    acceptMessage(
      message: NewMessageRow,
      lease: LeaseValues,
    ): [seq: number, hasRange: boolean] {
      const seq = insertMessage(message);
      const [status = statusCodes.deleted] =
        firstStatus.get(topicSeqOf(message)) ?? [];
      const hasRange = status < statusCodes.deleted;
      if (hasRange) {
        const [owner, until] = lease ?? [null, null];
        insertFirstRange.run(seq, lease ? 1 : 0, owner, until);
      }
      return [seq, hasRange];
    },
    acceptDirectMessage(
      message: NewMessageRow,
      recipients: readonly (readonly [protocol: number, endpoint: string])[],
      billable: boolean,
    ): number {
      const seq = insertMessage(message);
      const countChanges = new CountChanges();
      for (const [target, [protocol, endpoint]] of recipients.entries()) {
        insertRecipient.run(seq, target, protocol, endpoint);
        insertDue(seq, target, createdAtOf(message), billable);
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
  return (message: NewMessageRow, target: number, billable: boolean): void => {
    const seq = insertMessage(message);
    insertDue(seq, target, createdAtOf(message), billable);
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
    at: SQLInputValue,
    billable: boolean,
  ): void => {
    insert.run(messageSeq, target, at, billable ? 1 : 0);
  };
}
