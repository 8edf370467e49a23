/** Writes about what engines hold: ranges, and deliveries that are sending. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, ReclaimedWork } from "@carillon/core";
import { lostAttempt, unknownPollDelayMs } from "@carillon/core/rules";
import { partStateCodes, queueStates, stateCodes } from "../schema/codes.ts";
import { attempts, lastAttempts } from "../schema/delivery-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createCancelledEnds } from "./message-cancellation.ts";
import { CountChanges } from "./message-counts.ts";
import { createReceiptJoin } from "./receipt-join.ts";
import { SettledCounts } from "./statistics-writes.ts";

const { sending, sent, unknown } = stateCodes;

/** A delivery that is given back. */
export interface HeldDelivery {
  readonly messageSeq: number;
  readonly target: number;
  readonly fence: number;
  /** Code of the state that it goes back to. */
  readonly state: number;
}

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
  /**
   * What was cut off, or accepted, when the machine's clock was ahead of what it
   * says now; not what may not go out before.
   * Parameters: now, now, now. Index: ranges_free.
   */
  const bringForward = db.prepare(
    `UPDATE ranges INDEXED BY ranges_free SET due_at = ?
     WHERE owner IS NULL AND due_at > ?
       AND NOT EXISTS (SELECT 1 FROM messages AS m
                       WHERE m.seq = message_seq AND m.not_before > ?)`,
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
      externalId: string | null,
      attempts: number,
    ]
  >(
    db,
    `SELECT message_seq, target, provider, attempt_at, attempt_external_id,
       attempts
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
   * Leases and delays of subscribers that were begun when the machine's clock was
   * ahead of what it says now: they are as long as they were. Parameters: now.
   */
  const shorten = db.prepare(
    `UPDATE deliveries INDEXED BY deliveries_leased
     SET lease_until = lease_until - last_at + ?1, last_at = ?1
     WHERE queue_state = ${queueStates.leased} AND last_at > ?1`,
  );
  /**
   * With the fence it has: nobody claims it again, and an outcome that its former
   * owner records after all is better than not knowing. Parameters: when to ask
   * its carrier, whether it will report, the lost attempt, message, target.
   */
  const lose = db.prepare(
    `UPDATE deliveries
     SET state = ${unknown}, owner = NULL, lease_until = NULL,
       attempt_at = NULL, attempt_external_id = NULL, next_attempt_at = NULL,
       attempts = attempts + 1, fails_over = 0, poll_at = ?,
       receipt_expected = ?,
       ${lastAttempts.names.map((name) => `${name} = ?`).join(", ")}
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: message, target, attempt, provider, id. */
  const insertPart = db.prepare(
    `INSERT INTO parts
       (message_seq, target, attempt, part, entry, external_id, state)
     VALUES (?, ?, ?, 0, ?, ?, ${partStateCodes.sent})`,
  );
  /** Parameters: message, target. Index: the primary key. */
  const find = prepareQuery<[state: number, fence: number]>(
    db,
    "SELECT state, fence FROM deliveries WHERE message_seq = ? AND target = ?",
  );
  /** A fence more, as above. Parameters: state, when to go on, key. */
  const release = db.prepare(
    `UPDATE deliveries SET state = ?, fence = fence + 1, owner = NULL,
       lease_until = NULL, attempt_at = NULL, attempt_external_id = NULL,
       next_attempt_at = ?
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: end of the lease. */
  const freeConsumers = db.prepare(
    `UPDATE change_consumers SET owner = NULL, lease_until = NULL
     WHERE lease_until <= ?`,
  );
  const joinReceipts = createReceiptJoin(db);
  const createCancelledEnd = createCancelledEnds(db);

  /**
   * Frees what is held by leases that ended by `endedBy`, on the store's
   * monotonic time; `now`: when that was found.
   */
  function reclaim(endedBy: number, now: EpochMs): ReclaimedWork {
    const lost = interrupted.all(endedBy);
    const countChanges = new CountChanges();
    const settledCounts = new SettledCounts();
    for (const row of lost) {
      const [messageSeq, target, provider, at, externalId, before] = row;
      archive.run(messageSeq, target);
      const lostOne = lostAttempt(provider ?? undefined, at);
      const isKnown = provider !== null && externalId !== null;
      lose.run(
        isKnown ? now + unknownPollDelayMs : null,
        isKnown ? 1 : 0,
        ...lastAttempts.toRow(lostOne),
        messageSeq,
        target,
      );
      countChanges.move(messageSeq, target, sending, unknown);
      settledCounts.add(messageSeq, target, unknown, now);
      if (!isKnown) continue;
      const attempt = before + 1;
      insertPart.run(messageSeq, target, attempt, provider, externalId);
      const key = { messageSeq, target, attempt, part: 0 };
      joinReceipts(key, externalId, provider, countChanges);
    }
    journal.addCounts(countChanges, now);
    journal.addSettled(settledCounts);
    freeConsumers.run(endedBy);
    const freed =
      Number(freeRanges.run(endedBy).changes) +
      Number(freeDeliveries.run(now, endedBy).changes);
    return { freed, interrupted: lost.length };
  }

  return {
    renewLeases(owner: string, leaseUntil: number): void {
      renewRanges.run(leaseUntil, owner);
      renewDeliveries.run(leaseUntil, owner);
    },
    /** Gives claimed deliveries back in the states that they had. */
    releaseDeliveries(
      held: readonly HeldDelivery[],
      nextAttemptAt: EpochMs | undefined,
      now: EpochMs,
    ): void {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      const endIfCancelled = createCancelledEnd(
        now,
        countChanges,
        settledCounts,
      );
      for (const { messageSeq, target, fence, state } of held) {
        const [known, current] = find.get(messageSeq, target) ?? [];
        if (known !== sending || current !== fence) continue;
        const dueAt = nextAttemptAt ?? (state === sent ? null : now);
        release.run(state, dueAt, messageSeq, target);
        countChanges.moveBack(messageSeq, sending, state);
        if (state !== sent) endIfCancelled(messageSeq, target, state);
      }
      journal.addCounts(countChanges, now);
      journal.addSettled(settledCounts);
    },
    reclaim,
    /** The same for all leases; of a process that is gone. */
    reclaimAll(now: EpochMs): ReclaimedWork {
      const work = reclaim(Number.MAX_SAFE_INTEGER, now);
      bringForward.run(now, now, now);
      shorten.run(now);
      return work;
    },
  };
}
