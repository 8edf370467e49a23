/** Writes of messages and of those who get them. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { stateCodes } from "../schema/codes.ts";
import {
  createdAtOf,
  hasStatusUrl,
  type MessageParts,
  type NewMessageRow,
  newMessages,
  projectIdOf,
  topicSeqOf,
} from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { createCut } from "./range-cuts.ts";
import { createTopicTurns } from "./topic-turns.ts";

/**
 * Who holds the first range of a message, until when on the store's monotonic
 * time, and how long it may be; `null`: it is known to be shorter. A list, for
 * objects cross threads with the names of their members, each time.
 */
export type FirstRangeLease = readonly [
  owner: string,
  until: number,
  rangeSize: number | null,
];

/** Who holds a delivery that is claimed as it is added, and until when. */
export type DeliveryLease = readonly [owner: string, until: number];

/**
 * What became of the audience of a message that was accepted: how many, about,
 * are in ranges that nobody holds; the end of the range that is held, if one is
 * (`null`: of the audience), and the place of its topic among several. Only its
 * number: it goes to nobody.
 */
export type AcceptedRow =
  | number
  | readonly [
      seq: number,
      unclaimed: number,
      uptoTarget?: number | null,
      topicPosition?: number | null,
    ];

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
  /**
   * Parameters: message, topic, its position, end, when it is due, owner, end of
   * the lease.
   */
  const insertHeld = db.prepare(
    `INSERT INTO ranges (message_seq, topic_seq, topic_position, after_target,
       upto_target, due_at, fence, owner, lease_until)
     VALUES (?, ?, ?, 0, ?, ?, 1, ?, ?)`,
  );
  const cut = createCut(db);
  const turns = createTopicTurns(db);
  /** Parameters: message, target, protocol, endpoint. */
  const insertRecipient = db.prepare(
    `INSERT INTO recipients (message_seq, target, protocol, endpoint)
     VALUES (?, ?, ?, ?)`,
  );
  /** Parameters: project, phone, message. */
  const putReplyMessage = db.prepare(
    `INSERT OR REPLACE INTO reply_messages (project_id, phone, message_seq)
     VALUES (?, ?, ?)`,
  );
  /** Parameters: message, place, project, type, id. */
  const insertRelatedObject = db.prepare(
    `INSERT INTO related_objects (message_seq, n, project_id, type, id)
     VALUES (?, ?, ?, ?, ?)`,
  );
  /** Parameters: message, position, topic, and what is copied of it. */
  const insertTopic = db.prepare(
    `INSERT INTO message_topics (message_seq, position, topic_seq, urn, name,
       display_name, introduction)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertDue = createDueInsert(db);
  const counts = createCounts(db, journal);

  function addParts(
    seq: number,
    message: NewMessageRow,
    parts: MessageParts,
  ): void {
    if (parts === null) return;
    for (const [n, [type, id]] of parts.objects.entries()) {
      insertRelatedObject.run(seq, n, projectIdOf(message), type, id);
    }
    for (const [n, topic] of parts.topics.entries()) {
      const { urn, name, displayName, introduction } = topic;
      insertTopic.run(seq, n, topic.seq, urn, name, displayName, introduction);
    }
  }

  /** The ranges of the first topic that is walked; it has somebody to send to. */
  function addRanges(
    seq: number,
    topicSeq: number,
    position: number | null,
    dueAt: EpochMs,
    lease: FirstRangeLease | null,
  ): AcceptedRow {
    const countOthers = (claimed: number) =>
      Math.max(1, (subscriptionCount.get(topicSeq)?.[0] ?? 0) - claimed);
    if (lease === null) {
      cut.addRest(seq, topicSeq, 0, null, dueAt, position);
      return [seq, countOthers(0)];
    }
    const [owner, until, rangeSize] = lease;
    const end =
      rangeSize === null ? undefined : cut.find(topicSeq, 0, null, rangeSize);
    const uptoTarget = end ?? null;
    insertHeld.run(seq, topicSeq, position, uptoTarget, dueAt, owner, until);
    if (end === undefined) return [seq, 0, uptoTarget, position];
    cut.addRest(seq, topicSeq, end, null, dueAt, position);
    return [seq, countOthers(rangeSize ?? 0), uptoTarget, position];
  }

  return {
    /** `dueAt`: when it may go out. With a lease that is now. */
    acceptMessage(
      message: NewMessageRow,
      parts: MessageParts,
      dueAt: EpochMs,
      lease: FirstRangeLease | null,
    ): AcceptedRow {
      const seq = insertMessage(message);
      addParts(seq, message, parts);
      if (parts !== null && parts.topics.length > 0) {
        const turn = turns.findFirst(seq);
        if (turn === undefined) return seq;
        const [topicPosition, topicSeq] = turn;
        return addRanges(seq, topicSeq, topicPosition, dueAt, lease);
      }
      // Of a message to a topic.
      const topicSeq = topicSeqOf(message) as number;
      const [status = statusCodes.deleted] = firstStatus.get(topicSeq) ?? [];
      if (status >= statusCodes.deleted) return seq;
      return addRanges(seq, topicSeq, null, dueAt, lease);
    },
    acceptDirectMessage(
      message: NewMessageRow,
      parts: MessageParts,
      dueAt: EpochMs,
      recipients: readonly RecipientRow[],
    ): number {
      const seq = insertMessage(message);
      addParts(seq, message, parts);
      const countChanges = new CountChanges();
      const tellsReplies = hasStatusUrl(message);
      for (const [target, recipient] of recipients.entries()) {
        const [protocol, endpoint, billable] = recipient;
        insertRecipient.run(seq, target, protocol, endpoint);
        if (tellsReplies && protocol === "sms") {
          putReplyMessage.run(projectIdOf(message), endpoint, seq);
        }
        insertDue(seq, target, dueAt, billable);
        countChanges.add(seq, target, stateCodes.waiting);
      }
      counts.add(countChanges, createdAtOf(message));
      return seq;
    },
  };
}

/**
 * Keeps a message to one subscription, due at once or claimed; answers the
 * message's number.
 */
export function createNoticeWrite(db: DatabaseSync, journal: ChangeJournal) {
  const insertMessage = createInsert(db);
  const insertDue = createDueInsert(db);
  /** Parameters: message, target, billable, owner, end of the lease. */
  const insertClaimed = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts, fence,
       billable, owner, lease_until)
     VALUES (?, ?, ${stateCodes.sending}, 0, 1, ?, ?, ?)`,
  );
  const counts = createCounts(db, journal);
  return (
    message: NewMessageRow,
    target: number,
    billable: boolean,
    lease: DeliveryLease | null,
  ): number => {
    const seq = insertMessage(message);
    const createdAt = createdAtOf(message);
    const countChanges = new CountChanges();
    if (lease === null) {
      insertDue(seq, target, createdAt, billable);
      countChanges.add(seq, target, stateCodes.waiting);
    } else {
      insertClaimed.run(seq, target, billable ? 1 : 0, ...lease);
      countChanges.add(seq, target, stateCodes.sending);
    }
    counts.add(countChanges, createdAt);
    return seq;
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
