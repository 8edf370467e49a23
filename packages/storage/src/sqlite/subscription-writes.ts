/** Writes of subscriptions and their tokens; runs in the writer thread. */

import type { DatabaseSync } from "node:sqlite";
import { createMailWrite, type NewMessageValues } from "./message-writes.ts";
import { prepareQuery } from "./query.ts";
import {
  type SubscriptionRow,
  subscriptionColumns,
  subscriptionTables,
} from "./subscription-row.ts";

/** A new subscription's columns, in the order of the INSERT. */
export type NewSubscriptionValues = [
  id: string,
  topicSeq: number,
  projectId: string,
  protocol: number,
  endpoint: string,
  remark: string,
  status: number,
  extension: string | null,
  createdAt: number,
];

export interface MailValues {
  readonly token: string;
  readonly tokenExpiresAt: number;
  readonly message: NewMessageValues;
  readonly careful: boolean;
}

export function createSubscriptionWrites(db: DatabaseSync) {
  const topicById = prepareQuery<[subscriptionCount: number]>(
    db,
    `SELECT subscription_count FROM topics
     WHERE seq = ? AND project_id = ? AND deleted_at IS NULL`,
  );
  const byEndpoint = prepareQuery<SubscriptionRow>(
    db,
    `SELECT ${subscriptionColumns} FROM ${subscriptionTables}
     WHERE topic_seq = ? AND protocol = ? AND endpoint = ? AND status <> 4`,
  );
  const bySeq = prepareQuery<SubscriptionRow>(
    db,
    `SELECT ${subscriptionColumns} FROM ${subscriptionTables}
     WHERE subscriptions.seq = ?`,
  );
  const byId = prepareQuery<SubscriptionRow>(
    db,
    `SELECT ${subscriptionColumns} FROM ${subscriptionTables}
     WHERE subscriptions.id = ? AND status <> 4`,
  );
  const insert = db.prepare(
    `INSERT INTO subscriptions (id, topic_seq, project_id, protocol, endpoint,
       remark, status, extension, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const setStatus = db.prepare(
    "UPDATE subscriptions SET status = ? WHERE seq = ?",
  );
  const markDeleted = db.prepare(
    "UPDATE subscriptions SET status = 4, deleted_at = ? WHERE seq = ?",
  );
  const seqOfToken = prepareQuery<[subscriptionSeq: number]>(
    db,
    `SELECT subscription_seq FROM subscription_tokens
     WHERE token = ? AND expires_at > ?`,
  );
  const insertToken = db.prepare(
    `INSERT INTO subscription_tokens (token, subscription_seq, expires_at)
     VALUES (?, ?, ?)`,
  );
  const deleteExpiredTokens = db.prepare(
    `DELETE FROM subscription_tokens
     WHERE subscription_seq = ? AND expires_at <= ?`,
  );
  const deleteTokens = db.prepare(
    "DELETE FROM subscription_tokens WHERE subscription_seq = ?",
  );
  const count = createCount(db);
  const writeMail = createMailWrite(db);

  /** Queues a mail to a subscription and keeps the token that is in it. */
  function send(seq: number, mail: MailValues, at: number): void {
    deleteExpiredTokens.run(seq, at);
    insertToken.run(mail.token, seq, mail.tokenExpiresAt);
    writeMail(mail.message, seq, mail.careful);
  }

  function get(seq: number): SubscriptionRow {
    const row = bySeq.get(seq);
    if (!row) throw new Error(`There is no subscription ${seq}.`);
    return row;
  }

  return {
    addSubscription(
      values: NewSubscriptionValues,
      confirmation: MailValues | null,
      quota: number,
    ):
      | { row: SubscriptionRow; created: boolean }
      | "SUBSCRIPTION_QUOTA_EXCEEDED"
      | "TOPIC_NOT_FOUND" {
      const [, topicSeq, projectId, protocol, endpoint] = values;
      const [, , , , , , newStatus, , createdAt] = values;
      const [siblings] = topicById.get(topicSeq, projectId) ?? [];
      if (siblings === undefined) return "TOPIC_NOT_FOUND";
      let row = byEndpoint.get(topicSeq, protocol, endpoint);
      const created = row === undefined;
      if (row === undefined) {
        if (siblings >= quota) return "SUBSCRIPTION_QUOTA_EXCEEDED";
        const seq = Number(insert.run(...values).lastInsertRowid);
        count(projectId, topicSeq, seq, 1);
        row = get(seq);
      } else if (row[8] === cancelled) {
        setStatus.run(newStatus, row[0]);
        row = get(row[0]);
      }
      if (confirmation && row[8] === unconfirmed) {
        send(row[0], confirmation, createdAt);
      }
      return { row, created };
    },
    confirmSubscription(
      token: string,
      now: number,
    ): SubscriptionRow | undefined {
      const [seq] = seqOfToken.get(token, now) ?? [];
      // Tokens go with their subscription: there is no deleted one here.
      if (seq === undefined) return undefined;
      const row = get(seq);
      if (row[8] !== unconfirmed && row[8] !== cancelled) return row;
      setStatus.run(confirmed, seq);
      return get(seq);
    },
    cancelSubscription(
      id: string,
      farewell: MailValues,
      at: number,
    ): SubscriptionRow | undefined {
      const row = byId.get(id);
      if (!row || row[8] === cancelled) return row;
      setStatus.run(cancelled, row[0]);
      send(row[0], farewell, at);
      return get(row[0]);
    },
    deleteSubscription(
      projectId: string,
      topicName: string,
      id: string,
      at: number,
    ): boolean {
      const row = byId.get(id);
      if (!row) return false;
      const [seq, , topicSeq, nameOfTopic, ownerId] = row;
      if (ownerId !== projectId || nameOfTopic !== topicName) return false;
      markDeleted.run(at, seq);
      deleteTokens.run(seq);
      count(projectId, topicSeq, seq, -1);
      return true;
    },
  };
}

// SMN's numbers; core's table of them is not loaded in this thread.
const unconfirmed = 0;
const confirmed = 1;
const cancelled = 3;

/** Counts a subscription where totals and page starts are looked up. */
function createCount(db: DatabaseSync) {
  const ofTopic = db.prepare(
    `UPDATE topics SET subscription_count = subscription_count + ?
     WHERE seq = ?`,
  );
  const ofProject = db.prepare(
    `INSERT INTO project_counts (project_id, subscriptions) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET subscriptions = subscriptions + excluded.subscriptions`,
  );
  const ofBlock = db.prepare(
    `INSERT INTO subscription_blocks (project_id, topic_seq, block, count)
     VALUES (?1, 0, ?3 >> 12, ?4), (?1, ?2, ?3 >> 12, ?4)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  return (
    projectId: string,
    topicSeq: number,
    seq: number,
    change: 1 | -1,
  ): void => {
    ofTopic.run(change, topicSeq);
    ofProject.run(projectId, change);
    ofBlock.run(projectId, topicSeq, seq, change);
  };
}
