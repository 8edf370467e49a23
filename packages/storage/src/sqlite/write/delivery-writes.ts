/** Writes of deliveries that wait, are claimed or are reported on. */

import type { DatabaseSync } from "node:sqlite";
import {
  type AttemptColumns,
  lastAttemptColumns,
} from "../schema/attempt-row.ts";
import { audienceCodes, stateCodes } from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import type { OutcomeColumns } from "./outcome-columns.ts";
import { createOutcomeWrites } from "./outcome-writes.ts";
import type { StateRules } from "./state-rules.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

/** A due delivery with its recipient. */
export type DueRow = readonly [
  messageSeq: number,
  target: number,
  state: number,
  attempts: number,
  fence: number,
  protocol: number | null,
  endpoint: string | null,
  subscriptionId: string | null,
  extension: string | null,
  /**
   * 1, unless nobody wants this message at that endpoint any more; -1 when
   * that is because an earlier round delivered it.
   */
  isWanted: number | null,
  ...lastAttempt: AttemptColumns,
];

const { sending, unknown, delivered, cancelled } = stateCodes;

const earlierRoundDelivered =
  "An earlier round of the notify policy delivered the message.";

export function createDeliveryWrites(db: DatabaseSync, rules: StateRules) {
  /**
   * Due deliveries, longest due first, with their recipients. Confirmations go
   * to the unconfirmed and unsubscribe notices to those who left; all else only to
   * those who are subscribed now.
   * Parameters: now, limit. Index: deliveries_due.
   */
  const due = prepareQuery<DueRow>(
    db,
    `SELECT d.message_seq, d.target, d.state, d.attempts, d.fence,
       coalesce(r.protocol, s.protocol), coalesce(r.endpoint, s.endpoint),
       s.id, s.extension,
       CASE m.audience
         WHEN ${audienceCodes.direct} THEN 1
         WHEN ${audienceCodes.subscription} THEN s.status <> 4
         ELSE CASE WHEN s.status NOT IN (1, 2) THEN 0
           WHEN coalesce(d.round, 1) > 1 AND EXISTS (
             SELECT 1 FROM deliveries AS e INDEXED BY deliveries_round
             WHERE e.message_seq = d.message_seq AND e.round < d.round
               AND e.state = ${delivered}) THEN -1
           ELSE 1
         END
       END,
       ${lastAttemptColumns("d")}
     FROM deliveries AS d INDEXED BY deliveries_due
     CROSS JOIN messages AS m ON m.seq = d.message_seq
     LEFT JOIN recipients AS r ON m.audience = ${audienceCodes.direct}
       AND r.message_seq = d.message_seq AND r.target = d.target
     LEFT JOIN subscriptions AS s ON m.audience <> ${audienceCodes.direct}
       AND s.seq = d.target
     WHERE d.next_attempt_at <= ?
       AND NOT (d.billable = 1 AND d.state = ${sending})
     ORDER BY d.next_attempt_at LIMIT ?`,
  );
  /** Parameters: state, fence, next attempt, message, target. */
  const claim = db.prepare(
    `UPDATE deliveries SET state = ?, fence = ?, next_attempt_at = ?
     WHERE message_seq = ? AND target = ?`,
  );
  /** Says why it was never tried. Parameters: now, message, target. */
  const explainEscalation = db.prepare(
    `UPDATE deliveries SET last_at = ?, last_duration_ms = 0,
       last_error = '${earlierRoundDelivered}'
     WHERE message_seq = ? AND target = ? AND attempts = 0`,
  );
  /**
   * Billable attempts whose engine died. Parameters: now. Index: deliveries_due.
   */
  const interrupted = prepareQuery<[messageSeq: number, target: number]>(
    db,
    `SELECT message_seq, target FROM deliveries INDEXED BY deliveries_due
     WHERE next_attempt_at <= ? AND billable = 1 AND state = ${sending}`,
  );
  const lose = db.prepare(
    `UPDATE deliveries SET state = ${unknown}, next_attempt_at = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  const releaseChunks = db.prepare(
    "UPDATE chunks SET owner = NULL, lease_until = 0",
  );
  const releaseDeliveries = db.prepare(
    `UPDATE deliveries INDEXED BY deliveries_due SET next_attempt_at = ?
     WHERE next_attempt_at IS NOT NULL AND state = ${sending}`,
  );
  const outcomes = createOutcomeWrites(db, rules);
  const counts = createCounts(db);
  const statistics = createStatistics(db);

  /** Those whose lease ended by `until`; `now`: when that was found. */
  function settleInterrupted(until: number, now: number): number {
    const rows = interrupted.all(until);
    const countChanges = new CountChanges();
    const settledCounts = new SettledCounts();
    for (const [messageSeq, target] of rows) {
      lose.run(messageSeq, target);
      countChanges.move(messageSeq, sending, unknown);
      settledCounts.add(messageSeq, target, unknown, now);
    }
    counts.add(countChanges);
    statistics.add(settledCounts);
    return rows.length;
  }

  return {
    /** Answers the rows as they were before; their fence is one more now. */
    claimDue(until: number, now: number, limit: number): DueRow[] {
      const claimed: DueRow[] = [];
      const countChanges = new CountChanges();
      let cancels: number;
      do {
        cancels = 0;
        for (const row of due.all(now, limit - claimed.length)) {
          const [messageSeq, target, state, , fence, , , , , isWanted] = row;
          const [next, nextAt] =
            isWanted === 1 ? [sending, until] : [cancelled, null];
          claim.run(next, fence + 1, nextAt, messageSeq, target);
          countChanges.move(messageSeq, state, next);
          if (isWanted === -1) explainEscalation.run(now, messageSeq, target);
          if (isWanted === 1) claimed.push(row);
          else cancels++;
        }
        // Each round that cancels makes room for as many more.
      } while (cancels > 0 && claimed.length < limit);
      counts.add(countChanges);
      return claimed;
    },
    settleInterrupted: (now: number) => settleInterrupted(now, now),
    recordOutcomes(columns: OutcomeColumns): void {
      outcomes.recordAll(columns);
    },
    releaseAllLeases(now: number): void {
      releaseChunks.run();
      settleInterrupted(Number.MAX_SAFE_INTEGER, now);
      releaseDeliveries.run(now);
    },
  };
}
