/** Writes of subscriptions and of the notices that are sent to them. */

import type { DatabaseSync } from "node:sqlite";
import type {
  EpochMs,
  NewSubscription,
  SubscriberNotice,
  SubscriptionChange,
  SubscriptionSignature,
  WrongCodeKeys,
} from "@carillon/core";
import {
  isUnsubscribable,
  mayTryCode,
  noticeContent,
} from "@carillon/core/rules";
import { filterPolicies } from "../schema/filter-policies.ts";
import { toMessageRow } from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import {
  encodeSignature,
  newSubscriptions,
  type SubscriptionRow,
  subscriptions,
  subscriptionTables,
} from "../schema/subscription-table.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { createConfirmationCounts } from "./confirmation-counts.ts";
import { createLatestMessages } from "./latest-message.ts";
import { createMailboxes } from "./mailbox-entry.ts";
import { createNoticeWrite, type DeliveryLease } from "./message-writes.ts";
import { createWithdrawals } from "./withdrawal-writes.ts";

const { unconfirmed, confirmed, cancelled, deleted } = statusCodes;

export function createSubscriptionWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
  notices: ChangeNotices,
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
  const byId = prepareQuery<
    [seq: number, topicSeq: number, status: number, generation: number]
  >(
    db,
    `SELECT seq, topic_seq, status, generation FROM subscriptions
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
  const setSignature = db.prepare(
    `UPDATE subscriptions SET signature = ?
     WHERE seq = ? AND signature IS ?`,
  );
  /** An old mail's link must not undo what its reader decides now. */
  const cancel = db.prepare(
    `UPDATE subscriptions SET status = ${cancelled},
       generation = generation + 1, code_expires_at = NULL
     WHERE seq = ?`,
  );
  const setCodeExpiry = db.prepare(
    "UPDATE subscriptions SET code_expires_at = ? WHERE seq = ?",
  );
  const findOrAddMailbox = createMailboxes(db);
  const addLatest = createLatestMessages(db, journal);
  const withdrawals = createWithdrawals(db);
  const count = createCount(db);
  const writeNotice = createNoticeWrite(db, journal);
  const confirmations = createConfirmationCounts(db);
  /** Parameters: key, now. Index: the primary key. */
  const wrongCodesOf = prepareQuery<[count: number]>(
    db,
    `SELECT count FROM counters
     WHERE kind = 'wrong_code' AND key = ? AND ends_at > ?`,
  );

  function mayTry({ sender, all }: WrongCodeKeys, now: EpochMs): boolean {
    const [ofSender, ofAll] = [sender, all].map((key) => {
      const [count] = wrongCodesOf.get(key, now) ?? [];
      return count === undefined ? undefined : { count };
    });
    return mayTryCode(ofSender, ofAll);
  }

  /**
   * Queues a notice to a subscription, with what its link is made from, or
   * claims it; answers the message's number.
   */
  function send(
    seq: number,
    row: SubscriptionRow,
    notice: SubscriberNotice,
    lease: DeliveryLease | null,
  ): number {
    const content = noticeContent(notice, subscriptions.fromRow(row));
    if ("byCode" in content) setCodeExpiry.run(notice.expiresAt, seq);
    const message = toMessageRow({ ...notice.message, content });
    return writeNotice(message, seq, notice.billable ?? false, lease);
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

  /** Who receives the topic's messages, or how, is another now. */
  function tellAudience(topicSeq: number): void {
    notices.note({ kind: "subscriptions", topicSeq });
  }

  function insertCounted(subscription: NewSubscription): number {
    const { mailbox, ...own } = subscription;
    const { lastInsertRowid } = insert.run(
      ...newSubscriptions.toRow(
        mailbox ? { ...own, mailbox: findOrAddMailbox(mailbox) } : own,
      ),
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
      confirmation: SubscriberNotice | null,
      quota: number,
      lease: DeliveryLease | null,
      now: EpochMs,
    ):
      | {
          row: SubscriptionRow;
          created: boolean;
          throttled: boolean;
          /** Number of the confirmation's message, if there is one. */
          messageSeq: number | undefined;
        }
      | "SUBSCRIPTION_QUOTA_EXCEEDED"
      | "TOPIC_NOT_FOUND" {
      const { topicSeq, projectId, protocol, endpoint, createdAt } =
        subscription;
      const [siblings] = topicById.get(topicSeq, projectId) ?? [];
      if (siblings === undefined) return "TOPIC_NOT_FOUND";
      const known = byEndpoint.get(endpoint, topicSeq, protocol);
      if (!known && siblings >= quota) return "SUBSCRIPTION_QUOTA_EXCEEDED";
      let [seq, status]: readonly [number, number] = known ?? [
        0,
        subscription.status,
      ];
      if (!known) {
        seq = insertCounted(subscription);
        tellAudience(topicSeq);
      }
      if (status === cancelled) {
        status = subscription.status;
        setStatus.run(status, seq);
        tellAudience(topicSeq);
      }
      const { withLatest } = subscription;
      if (withLatest && (!known || known[1] === cancelled)) {
        addLatest(seq, withLatest, now);
      }
      const isDue = confirmation !== null && status === unconfirmed;
      const isAdmitted =
        isDue &&
        confirmations.admit(
          projectId,
          endpoint,
          protocol,
          confirmation.limits ?? [],
          createdAt,
        );
      const row = get(seq);
      const messageSeq = isAdmitted
        ? send(seq, row, confirmation, lease)
        : undefined;
      return {
        row: isAdmitted && confirmation.byCode ? get(seq) : row,
        created: !known,
        throttled: isDue && !isAdmitted,
        messageSeq,
      };
    },
    confirmSubscription(
      id: string,
      generation: number,
      wrongCodes: WrongCodeKeys | null,
      at: EpochMs,
    ): SubscriptionRow | undefined {
      const [seq, topicSeq, , current] = byId.get(id) ?? [];
      if (seq === undefined || topicSeq === undefined) return undefined;
      if (current !== generation) return undefined;
      if (wrongCodes && !mayTry(wrongCodes, at)) return undefined;
      const isNew = confirm.run(seq).changes > 0;
      confirmations.clear(seq);
      const row = get(seq);
      if (isNew) {
        tell("subscription.confirmed", row, at);
        tellAudience(topicSeq);
      }
      return row;
    },
    cancelSubscription(
      id: string,
      unsubscribeNotice: SubscriberNotice | null,
      generation: number | null,
      at: EpochMs,
    ): SubscriptionRow | undefined {
      const [seq, topicSeq] = byId.get(id) ?? [];
      if (seq === undefined || topicSeq === undefined) return undefined;
      const known = subscriptions.fromRow(get(seq));
      if (generation !== null && !isUnsubscribable(known, { generation })) {
        return undefined;
      }
      if (known.status !== cancelled) {
        cancel.run(seq);
        if (unsubscribeNotice) send(seq, get(seq), unsubscribeNotice, null);
        tell("subscription.cancelled", get(seq), at);
        tellAudience(topicSeq);
      }
      return get(seq);
    },
    updateSubscription(
      projectId: string,
      topicName: string,
      id: string,
      change: SubscriptionChange,
    ): boolean {
      const [seq, topicSeq] = byFullName.get(projectId, topicName, id) ?? [];
      if (seq === undefined || topicSeq === undefined) return false;
      if (change.remark !== undefined) setRemark.run(change.remark, seq);
      if (change.filterPolicies !== undefined) {
        setFilterPolicies.run(
          filterPolicies.encode(change.filterPolicies),
          seq,
        );
        tellAudience(topicSeq);
      }
      return true;
    },
    replaceSignature(
      id: string,
      expected: SubscriptionSignature | undefined,
      next: SubscriptionSignature,
    ): boolean {
      const [seq, topicSeq] = byId.get(id) ?? [];
      if (seq === undefined || topicSeq === undefined) return false;
      const { changes } = setSignature.run(
        encodeSignature(next),
        seq,
        encodeSignature(expected),
      );
      if (changes === 0) return false;
      tellAudience(topicSeq);
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
      count(projectId, topicSeq, seq, -1);
      withdrawals.addSubscription(seq);
      tellAudience(topicSeq);
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
