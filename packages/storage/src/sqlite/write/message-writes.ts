/** Writes of messages and of those who get them. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { noticeUrgency, type Urgency } from "@carillon/core/rules";
import { stateCodes } from "../schema/codes.ts";
import {
  createdAtOf,
  hasStatusUrl,
  isPublished,
  type MessageParts,
  type NewMessageRow,
  newMessages,
  orderingOf,
  projectIdOf,
  templateSlugOf,
  topicSeqOf,
} from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { RelatedObjectRow } from "../schema/stored-message-table.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges } from "./message-counts.ts";
import { createOrderedRanges } from "./ordered-ranges.ts";
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

/** Until when deliveries wait, how urgent they are, and why if not for their turn. */
export type Wait = readonly [
  dueAt: EpochMs,
  urgency: Urgency,
  waitReason: number | null,
];

/** Who holds a delivery that is claimed as it is added, and until when. */
export type DeliveryLease = readonly [owner: string, until: number];

/**
 * What became of the audience of a message that was accepted: how many, about,
 * are in ranges that nobody holds; the end of the range that is held, if one is
 * (`null`: of the audience), and the place of its topic among several. Only its
 * number: it goes to nobody, or an earlier message of its ordering key comes first.
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
  const insertMessage = createMessageInsert(db);
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
   * the lease, its ordering key.
   */
  const insertHeld = db.prepare(
    `INSERT INTO ranges (message_seq, topic_seq, topic_position, after_target,
       upto_target, due_at, fence, owner, lease_until, ordering_key)
     VALUES (?, ?, ?, 0, ?, ?, 1, ?, ?, ?)`,
  );
  const ordered = createOrderedRanges(db);
  const cut = createCut(db);
  const turns = createTopicTurns(db);
  const addObjects = createObjectInsert(db);
  /** Parameters: message, position, topic, and what is copied of it. */
  const insertTopic = db.prepare(
    `INSERT INTO message_topics (message_seq, position, topic_seq, urn, name,
       display_name, introduction)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const addRecipients = createRecipientInsert(db, journal);

  function addParts(
    seq: number,
    message: NewMessageRow,
    parts: MessageParts,
  ): void {
    if (parts === null) return;
    addObjects(seq, message, parts.objects, null);
    for (const [n, topic] of parts.topics.entries()) {
      journal.addLatest(topic.seq, seq);
      const { urn, name, displayName, introduction } = topic;
      insertTopic.run(seq, n, topic.seq, urn, name, displayName, introduction);
    }
  }

  /** The ranges of the first topic that is walked; it has somebody to send to. */
  function addRanges(
    seq: number,
    topicSeq: number,
    position: number | null,
    key: string | null,
    dueAt: EpochMs,
    lease: FirstRangeLease | null,
  ): AcceptedRow {
    const countOthers = (claimed: number) =>
      Math.max(1, (subscriptionCount.get(topicSeq)?.[0] ?? 0) - claimed);
    if (lease === null) {
      cut.addRest(seq, topicSeq, 0, null, dueAt, position, key);
      return [seq, countOthers(0)];
    }
    if (key !== null && ordered.isHeldUp(key, seq, dueAt)) {
      cut.addRest(seq, topicSeq, 0, null, null, position, key);
      return seq;
    }
    const [owner, until, rangeSize] = lease;
    const end =
      rangeSize === null ? undefined : cut.find(topicSeq, 0, null, rangeSize);
    const uptoTarget = end ?? null;
    const held = [uptoTarget, dueAt, owner, until, key] as const;
    insertHeld.run(seq, topicSeq, position, ...held);
    if (end === undefined) return [seq, 0, uptoTarget, position];
    cut.addRest(seq, topicSeq, end, null, dueAt, position, key);
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
      const key = orderingOf(message);
      if (parts !== null && parts.topics.length > 0) {
        const turn = turns.findFirst(seq);
        if (turn === undefined) return seq;
        const [topicPosition, topicSeq] = turn;
        return addRanges(seq, topicSeq, topicPosition, key, dueAt, lease);
      }
      // Of a message to a topic.
      const topicSeq = topicSeqOf(message) as number;
      if (isPublished(message)) journal.addLatest(topicSeq, seq);
      const [status = statusCodes.deleted] = firstStatus.get(topicSeq) ?? [];
      if (status >= statusCodes.deleted) return seq;
      return addRanges(seq, topicSeq, null, key, dueAt, lease);
    },
    acceptDirectMessage(
      message: NewMessageRow,
      parts: MessageParts,
      recipients: readonly RecipientRow[],
      wait: Wait,
    ): number {
      const seq = insertMessage(message);
      addParts(seq, message, parts);
      addRecipients(seq, message, recipients, wait);
      return seq;
    },
  };
}

/**
 * Keeps a message to one subscription, due at once or claimed; answers the
 * message's number.
 */
export function createNoticeWrite(db: DatabaseSync, journal: ChangeJournal) {
  const insertMessage = createMessageInsert(db);
  const insertDue = createDueInsert(db);
  /** Parameters: message, target, billable, owner, end of the lease. */
  const insertClaimed = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts, fence,
       urgency, billable, owner, lease_until)
     VALUES (?, ?, ${stateCodes.sending}, 0, 1, ${noticeUrgency}, ?, ?, ?)`,
  );
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
    journal.addCounts(countChanges, createdAt);
    return seq;
  };
}

/** Keeps the recipients of a direct message, with their deliveries. */
export function createRecipientInsert(
  db: DatabaseSync,
  journal: ChangeJournal,
) {
  /** Parameters: message, target, protocol, endpoint, project. */
  const insertRecipient = db.prepare(
    `INSERT INTO recipients (message_seq, target, protocol, endpoint, project_id)
     VALUES (?, ?, ?, ?, ?)`,
  );
  /** Parameters: project, phone, message. */
  const putReplyMessage = db.prepare(
    `INSERT OR REPLACE INTO reply_messages (project_id, phone, message_seq)
     VALUES (?, ?, ?)`,
  );
  /**
   * Parameters: message, target, due at, billable, urgency, wait reason, project.
   */
  const insertDelivery = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts,
       next_attempt_at, billable, urgency, wait_reason, project_id)
     VALUES (?, ?, ${stateCodes.waiting}, 0, ?, ?, ?, ?, ?)`,
  );
  return (
    seq: number,
    message: NewMessageRow,
    recipients: Iterable<RecipientRow>,
    [dueAt, urgency, waitReason]: Wait,
  ): void => {
    const countChanges = new CountChanges();
    const projectId = projectIdOf(message);
    const tellsReplies = hasStatusUrl(message);
    let target = 0;
    for (const [protocol, endpoint, billable] of recipients) {
      insertRecipient.run(seq, target, protocol, endpoint, projectId);
      if (tellsReplies && protocol === "sms") {
        putReplyMessage.run(projectId, endpoint, seq);
      }
      insertDelivery.run(
        seq,
        target,
        dueAt,
        billable ? 1 : 0,
        urgency,
        waitReason,
        projectId,
      );
      countChanges.add(seq, target, stateCodes.waiting);
      target++;
    }
    journal.addCounts(countChanges, createdAtOf(message));
  };
}

/** Keeps what a message is about; what is there already stays. */
export function createObjectInsert(db: DatabaseSync) {
  /**
   * Parameters: message, place, project, type, id, slug, channel, created,
   * changed.
   */
  const insert = db.prepare(
    `INSERT INTO related_objects (message_seq, n, project_id, type, id,
       template_slug, template_channel, created_at, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  return (
    seq: number,
    message: NewMessageRow,
    objects: readonly RelatedObjectRow[],
    /** Of its recipients; `null`: it was made from no template. */
    channel: string | null,
  ): void => {
    const projectId = projectIdOf(message);
    const slug = channel === null ? null : templateSlugOf(message);
    const at = createdAtOf(message);
    for (const [n, [type, id]] of objects.entries()) {
      insert.run(seq, n, projectId, type, id, slug, channel, at, at);
    }
  };
}

/** Keeps a message and answers its number. */
export function createMessageInsert(db: DatabaseSync) {
  const place = newMessages.indexOf("createdAt") + 1;
  /** Parameters: the columns. Index of the last message: the primary key. */
  const insert = db.prepare(
    `INSERT INTO messages (${newMessages.names.join(", ")}, newest_at)
     VALUES (${newMessages.names.map((_, n) => `?${n + 1}`).join(", ")},
       max(?${place}, coalesce(
         (SELECT newest_at FROM messages ORDER BY seq DESC LIMIT 1), 0)))`,
  );
  return (message: NewMessageRow): number =>
    Number(insert.run(...message).lastInsertRowid);
}

/** Adds the delivery of a notice that waits for its first attempt. */
function createDueInsert(db: DatabaseSync) {
  const insert = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts,
       next_attempt_at, fence, urgency, billable)
     VALUES (?, ?, ${stateCodes.waiting}, 0, ?, 0, ${noticeUrgency}, ?)`,
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
