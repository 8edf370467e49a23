/** Writes of subscriptions and their tokens. */

import type { DatabaseSync } from "node:sqlite";
import type {
  ConfirmationLimit,
  EpochMs,
  NewSubscription,
  SubscriptionChange,
} from "@carillon/core";
import { protocolCodes } from "../schema/codes.ts";
import { filterPolicies } from "../schema/filter-policies.ts";
import type { NewMessageRow } from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import {
  newSubscriptions,
  type SubscriptionRow,
  subscriptions,
  subscriptionTables,
} from "../schema/subscription-table.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createConfirmationCounts } from "./confirmation-counts.ts";
import { createNoticeWrite } from "./message-writes.ts";

/** A notice to a subscriber, ready to be stored. */
export interface NoticeValues {
  readonly token: string;
  readonly tokenExpiresAt: EpochMs;
  readonly message: NewMessageRow;
  readonly billable: boolean;
  readonly limits: readonly ConfirmationLimit[];
}

const { unconfirmed, confirmed, cancelled, deleted } = statusCodes;

export function createSubscriptionWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
) {
  const topicById = prepareQuery<[subscriptionCount: number]>(
    db,
    `SELECT subscription_count FROM topics
     WHERE seq = ? AND project_id = ? AND deleted_at IS NULL`,
  );
  /** Parameters: endpoint, topic, protocol. Index: subscriptions_endpoint. */
  const byEndpoint = prepareQuery<[seq: number, status: number]>(
    db,
    `SELECT seq, status FROM subscriptions INDEXED BY subscriptions_endpoint
     WHERE endpoint = ? AND topic_seq = ? AND protocol = ? AND status < 4`,
  );
  const bySeq = prepareQuery<SubscriptionRow>(
    db,
    `SELECT ${subscriptions.columns()} FROM ${subscriptionTables}
     WHERE subscriptions.seq = ?`,
  );
  const byId = prepareQuery<[seq: number, status: number]>(
    db,
    `SELECT seq, status FROM subscriptions
     WHERE id = ? AND status < 4`,
  );
  const byFullName = prepareQuery<[seq: number, topicSeq: number]>(
    db,
    `SELECT subscriptions.seq, topic_seq FROM ${subscriptionTables}
     WHERE subscriptions.project_id = ? AND topics.name = ?
       AND subscriptions.id = ? AND status < 4`,
  );
  const insert = db.prepare(newSubscriptions.insert);
  const setStatus = db.prepare(
    "UPDATE subscriptions SET status = ? WHERE seq = ?",
  );
  const confirm = db.prepare(
    `UPDATE subscriptions SET status = ${confirmed}
     WHERE seq = ? AND status IN (${unconfirmed}, ${cancelled})`,
  );
  const markDeleted = db.prepare(
    `UPDATE subscriptions SET status = ${deleted}, deleted_at = ?
     WHERE seq = ?`,
  );
  const setRemark = db.prepare(
    "UPDATE subscriptions SET remark = ? WHERE seq = ?",
  );
  const setFilterPolicies = db.prepare(
    "UPDATE subscriptions SET filter_policies = ? WHERE seq = ?",
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
  const writeNotice = createNoticeWrite(db, journal);
  const confirmations = createConfirmationCounts(db);

  /** Queues a notice to a subscription and keeps the token that is in it. */
  function send(seq: number, notice: NoticeValues, at: EpochMs): void {
    deleteExpiredTokens.run(seq, at);
    insertToken.run(notice.token, seq, notice.tokenExpiresAt);
    writeNotice(notice.message, seq, notice.billable);
  }

  function tell(
    type: "subscription.confirmed" | "subscription.cancelled",
    row: SubscriptionRow,
    at: EpochMs,
  ): void {
    const { projectId, id, topicName, protocol, endpoint } =
      subscriptions.fromRow(row);
    const about = { topicName, subscriptionId: id, protocol, endpoint };
    journal.addOccurrence({ type, projectId, about }, at);
  }

  function insertCounted(subscription: NewSubscription): number {
    const { lastInsertRowid } = insert.run(
      ...newSubscriptions.toRow(subscription),
    );
    const seq = Number(lastInsertRowid);
    count(subscription.projectId, subscription.topicSeq, seq, 1);
    return seq;
  }

  function get(seq: number): SubscriptionRow {
    const row = bySeq.get(seq);
    if (!row) throw new Error(`There is no subscription ${seq}.`);
    return row;
  }

  return {
    addSubscription(
      subscription: NewSubscription,
      confirmation: NoticeValues | null,
      quota: number,
    ):
      | { row: SubscriptionRow; created: boolean; throttled: boolean }
      | "SUBSCRIPTION_QUOTA_EXCEEDED"
      | "TOPIC_NOT_FOUND" {
      const { topicSeq, projectId, endpoint, createdAt } = subscription;
      const protocol = protocolCodes[subscription.protocol];
      const [siblings] = topicById.get(topicSeq, projectId) ?? [];
      if (siblings === undefined) return "TOPIC_NOT_FOUND";
      const known = byEndpoint.get(endpoint, topicSeq, protocol);
      if (!known && siblings >= quota) return "SUBSCRIPTION_QUOTA_EXCEEDED";
      let [seq, status]: readonly [number, number] = known ?? [
        0,
        subscription.status,
      ];
      if (!known) seq = insertCounted(subscription);
      if (status === cancelled) {
        status = subscription.status;
        setStatus.run(status, seq);
      }
      const isDue = confirmation !== null && status === unconfirmed;
      const isAdmitted =
        isDue &&
        confirmations.admit(
          projectId,
          endpoint,
          protocol,
          confirmation.limits,
          createdAt,
        );
      if (isAdmitted) send(seq, confirmation, createdAt);
      return {
        row: get(seq),
        created: !known,
        throttled: isDue && !isAdmitted,
      };
    },
    confirmSubscription(
      token: string,
      now: EpochMs,
    ): SubscriptionRow | undefined {
      const [seq] = seqOfToken.get(token, now) ?? [];
      // Tokens go with their subscription: there is no deleted one here.
      if (seq === undefined) return undefined;
      const isNew = confirm.run(seq).changes > 0;
      confirmations.clear(seq);
      const row = get(seq);
      if (isNew) tell("subscription.confirmed", row, now);
      return row;
    },
    cancelSubscription(
      id: string,
      unsubscribeNotice: NoticeValues,
      at: EpochMs,
    ): SubscriptionRow | undefined {
      const [seq, status] = byId.get(id) ?? [];
      if (seq === undefined) return undefined;
      if (status !== cancelled) {
        setStatus.run(cancelled, seq);
        // An old mail's link must not undo what its reader decided since.
        deleteTokens.run(seq);
        send(seq, unsubscribeNotice, at);
        tell("subscription.cancelled", get(seq), at);
      }
      return get(seq);
    },
    updateSubscription(
      projectId: string,
      topicName: string,
      id: string,
      change: SubscriptionChange,
    ): boolean {
      const [seq] = byFullName.get(projectId, topicName, id) ?? [];
      if (seq === undefined) return false;
      if (change.remark !== undefined) setRemark.run(change.remark, seq);
      if (change.filterPolicies !== undefined) {
        setFilterPolicies.run(
          filterPolicies.encode(change.filterPolicies),
          seq,
        );
      }
      return true;
    },
    deleteSubscription(
      projectId: string,
      topicName: string,
      id: string,
      at: EpochMs,
    ): boolean {
      const [seq, topicSeq] = byFullName.get(projectId, topicName, id) ?? [];
      if (seq === undefined || topicSeq === undefined) return false;
      markDeleted.run(at, seq);
      deleteTokens.run(seq);
      count(projectId, topicSeq, seq, -1);
      return true;
    },
  };
}

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
