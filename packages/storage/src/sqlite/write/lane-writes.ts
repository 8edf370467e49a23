/** Writes of deliveries that their subscribers fetch. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, LaneClaim } from "@carillon/core";
import { cancelReasons, unfetchedError } from "@carillon/core/rules";
import { errorClassCodes, stateCodes } from "../schema/codes.ts";
import { type DueRow, dueColumns, dueTables } from "../schema/due-row.ts";
import { prepareQuery } from "../schema/query.ts";
import { createCancellation } from "./cancellation.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createClaim, decide } from "./delivery-writes.ts";
import { createCancelledEnds } from "./message-cancellation.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

const { waiting, sending, delivered, expired } = stateCodes;

export function createLaneWrites(db: DatabaseSync, journal: ChangeJournal) {
  /**
   * Deliveries of a lane that nobody holds, oldest message first.
   * Parameters: lane, now, limit. Index: deliveries_lane; passed over are those
   * that are held, and those whose time is over until they are ended.
   */
  const waitingIn = prepareQuery<DueRow>(
    db,
    `SELECT ${dueColumns}
     FROM deliveries AS d INDEXED BY deliveries_lane ${dueTables}
     WHERE d.lane = ? AND d.owner IS NULL AND d.expires_at > ?
     ORDER BY d.message_seq, d.target LIMIT ?`,
  );
  /** Parameters: now, message, target, fence. Index: the primary key. */
  const ack = db.prepare(
    `UPDATE deliveries SET state = ${delivered}, attempts = attempts + 1,
       owner = NULL, lease_until = NULL, lane = NULL, expires_at = NULL,
       last_at = ?, last_duration_ms = 0
     WHERE message_seq = ? AND target = ? AND fence = ?
       AND lane IS NOT NULL AND owner IS NOT NULL`,
  );
  /** Parameters: message, target, fence. Index: the primary key. */
  const release = db.prepare(
    `UPDATE deliveries SET state = ${waiting}, owner = NULL, lease_until = NULL,
       fence = fence + 1
     WHERE message_seq = ? AND target = ? AND fence = ?
       AND lane IS NOT NULL AND owner IS NOT NULL`,
  );
  /** Parameters: now, limit. Index: deliveries_expiring. */
  const overdue = prepareQuery<
    [messageSeq: number, target: number, state: number]
  >(
    db,
    `SELECT message_seq, target, state
     FROM deliveries INDEXED BY deliveries_expiring
     WHERE expires_at <= ? AND lane IS NOT NULL AND owner IS NULL ORDER BY expires_at LIMIT ?`,
  );
  /** Parameters: now, error, message, target. Index: the primary key. */
  const expire = db.prepare(
    `UPDATE deliveries SET state = ${expired}, fence = fence + 1, lane = NULL,
       expires_at = NULL, last_at = ?, last_duration_ms = 0,
       last_error_class = ${errorClassCodes.expired},
       last_error = ?
     WHERE message_seq = ? AND target = ?`,
  );
  const claim = createClaim(db);
  const cancel = createCancellation(db);
  const counts = createCounts(db, journal);
  const statistics = createStatistics(db);
  const createCancelledEnd = createCancelledEnds(db);

  return {
    /** Answers the rows as they were before; their fence is one more now. */
    claimLane(
      owner: string,
      leaseUntil: number,
      lane: number,
      now: EpochMs,
      limit: number,
    ): DueRow[] {
      const claimed: DueRow[] = [];
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      // What is cancelled leaves the page short; the next claim fills it.
      for (const row of waitingIn.all(lane, now, limit)) {
        const [messageSeq, target, state] = row;
        const decision = decide(row);
        if (decision === "send") {
          claim.run(owner, leaseUntil, messageSeq, target);
          countChanges.move(messageSeq, target, state, sending);
          claimed.push(row);
        } else {
          const reason = cancelReasons[decision];
          cancel(row, reason, now, countChanges, settledCounts);
        }
      }
      counts.add(countChanges, now);
      statistics.add(settledCounts);
      return claimed;
    },
    ackLane(claims: readonly LaneClaim[], now: EpochMs): boolean[] {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      const kept = claims.map(({ messageSeq, target, fence }) => {
        if (ack.run(now, messageSeq, target, fence).changes === 0) return false;
        countChanges.move(messageSeq, target, sending, delivered);
        settledCounts.add(messageSeq, target, delivered, now);
        return true;
      });
      counts.add(countChanges, now);
      statistics.add(settledCounts);
      return kept;
    },
    releaseLane(claims: readonly LaneClaim[], now: EpochMs): boolean[] {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      const endIfCancelled = createCancelledEnd(
        now,
        countChanges,
        settledCounts,
      );
      const kept = claims.map(({ messageSeq, target, fence }) => {
        if (release.run(messageSeq, target, fence).changes === 0) return false;
        countChanges.move(messageSeq, target, sending, waiting);
        endIfCancelled(messageSeq, target, waiting);
        return true;
      });
      counts.add(countChanges, now);
      statistics.add(settledCounts);
      return kept;
    },
    expireLanes(now: EpochMs, limit: number): number {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      const endIfCancelled = createCancelledEnd(
        now,
        countChanges,
        settledCounts,
      );
      const rows = overdue.all(now, limit);
      for (const [messageSeq, target, state] of rows) {
        if (endIfCancelled(messageSeq, target, state)) continue;
        expire.run(now, unfetchedError, messageSeq, target);
        countChanges.move(messageSeq, target, state, expired);
        settledCounts.add(messageSeq, target, expired, now);
      }
      counts.add(countChanges, now);
      statistics.add(settledCounts);
      return rows.length;
    },
  };
}
