/** Writes of messages and of those who get them. */

import type { DatabaseSync } from "node:sqlite";
import { stateCodes } from "../schema/codes.ts";
import {
  type NewMessageRow,
  newMessages,
  projectIdOf,
  type RelatedObjectRows,
  startOf,
  topicSeqOf,
} from "../schema/message-table.ts";
import { prepareQuery, type SQLInputValue } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import { CountChanges, createCounts } from "./message-counts.ts";

/**
 * Owner, and end of the lease on the store's monotonic time in whole
 * milliseconds; `null`: nobody holds it.
 */
export type LeaseValues = [owner: string, until: number] | null;

/** A recipient that a message names itself. */
export type RecipientRow = readonly [
  protocol: number,
  endpoint: string,
  billable: boolean,
];

export function createMessageWrites(db: DatabaseSync) {
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
  /** Parameters: message, place, project, type, id. */
  const insertRelatedObject = db.prepare(
    `INSERT INTO related_objects (message_seq, n, project_id, type, id)
     VALUES (?, ?, ?, ?, ?)`,
  );
  const insertDue = createDueInsert(db);
  const counts = createCounts(db);

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
    acceptMessage(
      message: NewMessageRow,
      objects: RelatedObjectRows,
      lease: LeaseValues,
    ): [seq: number, hasRange: boolean] {
      const seq = insertMessage(message);
      relate(seq, message, objects);
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
      objects: RelatedObjectRows,
      recipients: readonly RecipientRow[],
    ): number {
      const seq = insertMessage(message);
      relate(seq, message, objects);
      const countChanges = new CountChanges();
      for (const [target, recipient] of recipients.entries()) {
        const [protocol, endpoint, billable] = recipient;
        insertRecipient.run(seq, target, protocol, endpoint);
        insertDue(seq, target, startOf(message), billable);
        countChanges.add(seq, stateCodes.waiting);
      }
      counts.add(countChanges);
      return seq;
    },
  };
}

/** Keeps a message to one subscription, due at once. */
export function createNoticeWrite(db: DatabaseSync) {
  const insertMessage = createInsert(db);
  const insertDue = createDueInsert(db);
  const counts = createCounts(db);
  return (message: NewMessageRow, target: number, billable: boolean): void => {
    const seq = insertMessage(message);
    insertDue(seq, target, startOf(message), billable);
    const countChanges = new CountChanges();
    countChanges.add(seq, stateCodes.waiting);
    counts.add(countChanges);
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
