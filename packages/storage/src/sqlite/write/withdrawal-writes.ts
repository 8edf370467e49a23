/**
 * What waits in mailboxes for subscriptions that were deleted, and what is in
 * mailboxes that were. Their deletion notes it; it is cancelled in steps, each of
 * which leaves how far it came in the transaction that cancels.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { cancelReasons } from "@carillon/core/rules";
import { stateCodes } from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import { createCancellation } from "./cancellation.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges } from "./message-counts.ts";
import { SettledCounts } from "./statistics-writes.ts";

const { waiting } = stateCodes;

/** Notes what is to be cancelled, before what it is of is deleted. */
export function createWithdrawals(db: DatabaseSync) {
  const ofSubscriptions = (condition: string) =>
    db.prepare(
      `INSERT INTO withdrawals (mailbox, target)
       SELECT m.mailbox, s.seq FROM subscriptions AS s ${condition}`,
    );
  const withMailbox = "CROSS JOIN mailbox_depths AS m ON m.mailbox = s.mailbox";
  /** Parameters: subscription. Indexes: primary keys. */
  const ofOne = ofSubscriptions(
    `${withMailbox} WHERE s.seq = ? AND m.depth > 0`,
  );
  /** Parameters: topic. Indexes: subscriptions_of_topic, the primary key. */
  const ofTopic = ofSubscriptions(
    `INDEXED BY subscriptions_of_topic ${withMailbox}
     WHERE s.topic_seq = ? AND s.status < 4 AND m.depth > 0`,
  );
  /** Parameters: mailbox. Index: the primary key. */
  const ofMailbox = db.prepare(
    `INSERT INTO withdrawals (mailbox)
     SELECT mailbox FROM mailbox_depths WHERE mailbox = ? AND depth > 0`,
  );
  return {
    addSubscription: (seq: number): void => void ofOne.run(seq),
    addTopic: (seq: number): void => void ofTopic.run(seq),
    addMailbox: (seq: number): void => void ofMailbox.run(seq),
  };
}

export function createWithdrawalWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
) {
  /** The oldest one. Indexes: primary keys. */
  const first = prepareQuery<
    [
      seq: number,
      mailbox: number,
      target: number | null,
      isTopicDeleted: number,
      queueState: number,
      beforeMessage: number,
      beforeTarget: number,
    ]
  >(
    db,
    `SELECT w.seq, w.mailbox, w.target, t.deleted_at IS NOT NULL,
       w.queue_state, w.before_message, w.before_target
     FROM withdrawals AS w
     LEFT JOIN subscriptions AS s ON s.seq = w.target
     LEFT JOIN topics AS t ON t.seq = s.topic_seq
     ORDER BY w.seq LIMIT 1`,
  );
  /**
   * Backwards: what changes its place while it is walked comes to be ready, which
   * is last. Parameters: mailbox, queue state, message, target, limit. Index:
   * deliveries_queued.
   */
  const before = prepareQuery<
    [messageSeq: number, target: number, state: number, queueState: number]
  >(
    db,
    `SELECT message_seq, target, state, queue_state
     FROM deliveries INDEXED BY deliveries_queued
     WHERE mailbox = ? AND (queue_state, message_seq, target) < (?, ?, ?)
     ORDER BY queue_state DESC, message_seq DESC, target DESC LIMIT +?`,
  );
  /** Parameters: the last that was looked at, withdrawal. */
  const advance = db.prepare(
    `UPDATE withdrawals SET before_message = ?, before_target = ?,
       queue_state = ?
     WHERE seq = ?`,
  );
  const remove = db.prepare("DELETE FROM withdrawals WHERE seq = ?");
  const cancel = createCancellation(db);

  return {
    cancelWithdrawn(now: EpochMs, limit: number): boolean {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      let room = limit;
      let withdrawal = first.get();
      while (withdrawal !== undefined && room > 0) {
        const [seq, mailbox, target, isTopicDeleted, ...from] = withdrawal;
        const why = isTopicDeleted ? "topic_deleted" : "unsubscribed";
        const rows = before.all(mailbox, ...from, room);
        for (const row of rows) {
          const [, of, state] = row;
          // Of a subscription what is leased is left to its end.
          if (target !== null && (of !== target || state !== waiting)) continue;
          cancel(row, cancelReasons[why], now, countChanges, settledCounts);
        }
        const last = rows.at(-1);
        if (last && rows.length === room) {
          advance.run(last[0], last[1], last[3], seq);
        } else remove.run(seq);
        // One more: so that many with nothing in them are bounded, too.
        room -= rows.length + 1;
        withdrawal = first.get();
      }
      journal.addCounts(countChanges, now);
      journal.addSettled(settledCounts);
      return withdrawal !== undefined;
    },
  };
}
