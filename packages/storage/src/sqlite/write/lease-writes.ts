/** Writes about what engines hold: ranges, and deliveries that are sending. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, ReclaimedWork } from "@carillon/core";
import { stateCodes } from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

const { sending, unknown } = stateCodes;

export function createLeaseWrites(db: DatabaseSync, journal: ChangeJournal) {
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
     WHERE owner IS NOT NULL AND lease_until <= ? AND billable = 0`,
  );
  /** Parameters: end of the lease. */
  const interrupted = prepareQuery<[messageSeq: number, target: number]>(
    db,
    `SELECT message_seq, target FROM deliveries INDEXED BY deliveries_held
     WHERE owner IS NOT NULL AND lease_until <= ? AND billable = 1`,
  );
  /**
   * With the fence it has: nobody claims it again, and an outcome that its former
   * owner records after all is better than not knowing.
   */
  const lose = db.prepare(
    `UPDATE deliveries
     SET state = ${unknown}, owner = NULL, lease_until = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: end of the lease. */
  const freeConsumers = db.prepare(
    `UPDATE change_consumers SET owner = NULL, lease_until = NULL
     WHERE lease_until <= ?`,
  );
  const counts = createCounts(db, journal);
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
      for (const [messageSeq, target] of lost) {
        lose.run(messageSeq, target);
        countChanges.move(messageSeq, target, sending, unknown);
        settledCounts.add(messageSeq, target, unknown, now);
      }
      counts.add(countChanges, now);
      statistics.add(settledCounts);
      freeConsumers.run(endedBy);
      const freed =
        Number(freeRanges.run(endedBy).changes) +
        Number(freeDeliveries.run(now, endedBy).changes);
      return { freed, interrupted: lost.length };
    },
  };
}
