/** Writes about what engines hold: ranges, and deliveries that are sending. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, ReclaimedWork } from "@carillon/core";
import { lostAttempt } from "@carillon/core/rules";
import { stateCodes } from "../schema/codes.ts";
import { attempts, lastAttempts } from "../schema/delivery-table.ts";
import { prepareQuery } from "../schema/query.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

const { sending, unknown } = stateCodes;

export function createLeaseWrites(db: DatabaseSync) {
  /** Parameters: end of the lease, owner. Indexes: those of what is held. */
  const renewRanges = db.prepare(
    `UPDATE ranges INDEXED BY ranges_held SET lease_until = ?
     WHERE owner = ?`,
  );
  const renewDeliveries = db.prepare(
    `UPDATE deliveries INDEXED BY deliveries_held SET lease_until = ?
     WHERE owner = ?`,
  );
  /** A fence more, so that the former owner is refused from now on. */
  const freeRanges = db.prepare(
    `UPDATE ranges INDEXED BY ranges_held
     SET owner = NULL, lease_until = NULL, fence = fence + 1
     WHERE owner IS NOT NULL AND lease_until <= ?`,
  );
  /** Parameters: when to go on, end of the lease. */
  const freeDeliveries = db.prepare(
    `UPDATE deliveries INDEXED BY deliveries_held
     SET owner = NULL, lease_until = NULL, fence = fence + 1,
       next_attempt_at = ?
     WHERE owner IS NOT NULL AND lease_until <= ?
       AND (billable = 0 OR attempt_at IS NULL)`,
  );
  /** Parameters: end of the lease. */
  const interrupted = prepareQuery<
    [
      messageSeq: number,
      target: number,
      provider: string | null,
      attemptAt: EpochMs,
    ]
  >(
    db,
    `SELECT message_seq, target, provider, attempt_at
     FROM deliveries INDEXED BY deliveries_held
     WHERE owner IS NOT NULL AND lease_until <= ? AND billable = 1
       AND attempt_at IS NOT NULL`,
  );
  /**
   * Moves the last attempt to the list of those before it.
   * Parameters: message, target. Index: primary keys.
   */
  const archive = db.prepare(
    `INSERT INTO attempts (message_seq, target, n, ${attempts.names.join(", ")})
     SELECT d.message_seq, d.target,
       (SELECT coalesce(max(n), 0) + 1 FROM attempts AS a
        WHERE a.message_seq = d.message_seq AND a.target = d.target),
       ${lastAttempts.columns("d")}
     FROM deliveries AS d
     WHERE d.message_seq = ? AND d.target = ? AND d.attempts > 0
       AND d.last_at IS NOT NULL`,
  );
  /**
   * With the fence it has: nobody claims it again, and an outcome that its former
   * owner records after all is better than not knowing. Parameters: the lost
   * attempt, message, target.
   */
  const lose = db.prepare(
    `UPDATE deliveries
     SET state = ${unknown}, owner = NULL, lease_until = NULL,
       attempt_at = NULL, next_attempt_at = NULL, attempts = attempts + 1,
       ${lastAttempts.names.map((name) => `${name} = ?`).join(", ")}
     WHERE message_seq = ? AND target = ?`,
  );
  const counts = createCounts(db);
  const statistics = createStatistics(db);

  return {
    renewLeases(owner: string, leaseUntil: number): void {
      renewRanges.run(leaseUntil, owner);
      renewDeliveries.run(leaseUntil, owner);
    },
    /**
     * Frees what is held by leases that ended by `endedBy`, on the store's
     * monotonic time; `now`: when that was found.
     */
    reclaim(endedBy: number, now: EpochMs): ReclaimedWork {
      const lost = interrupted.all(endedBy);
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      for (const [messageSeq, target, provider, at] of lost) {
        archive.run(messageSeq, target);
        const attempt = lostAttempt(provider ?? undefined, at);
        lose.run(...lastAttempts.toRow(attempt), messageSeq, target);
        countChanges.move(messageSeq, sending, unknown);
        settledCounts.add(messageSeq, target, unknown, now);
      }
      counts.add(countChanges);
      statistics.add(settledCounts);
      const freed =
        Number(freeRanges.run(endedBy).changes) +
        Number(freeDeliveries.run(now, endedBy).changes);
      return { freed, interrupted: lost.length };
    },
  };
}
