/** Writes of the change feed's consumers, and its retention. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { reportUrgency } from "@carillon/core/rules";
import { createdAtOf, type NewMessageRow } from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createMessageWrites, type RecipientRow } from "./message-writes.ts";

/** A message of a consumer, with the endpoint it is for or for its topic. */
export type EventMessageValues = readonly [
  message: NewMessageRow,
  recipient: RecipientRow | null,
];

export function createChangeWrites(db: DatabaseSync, journal: ChangeJournal) {
  const latest = prepareQuery<[seq: number | null]>(
    db,
    "SELECT max(seq) FROM changes",
  );
  const addConsumer = db.prepare(
    `INSERT INTO change_consumers (name, position) VALUES (?, ?)
     ON CONFLICT DO NOTHING`,
  );
  /** Parameters: owner, end of the lease, name, owner, now. */
  const claim = db.prepare(
    `UPDATE change_consumers SET owner = ?, lease_until = ?
     WHERE name = ? AND (owner IS NULL OR owner = ? OR lease_until <= ?)`,
  );
  const positionOf = prepareQuery<[position: number]>(
    db,
    "SELECT position FROM change_consumers WHERE name = ?",
  );
  /** Parameters: to, name, owner, from. */
  const advance = db.prepare(
    `UPDATE change_consumers SET position = ?
     WHERE name = ? AND owner = ? AND position = ?`,
  );
  const lowest = prepareQuery<[position: number | null]>(
    db,
    "SELECT min(position) FROM change_consumers",
  );
  /** Parameters: limit. */
  const oldest = prepareQuery<[seq: number, at: number]>(
    db,
    "SELECT seq, at FROM changes ORDER BY seq LIMIT ?",
  );
  const forget = db.prepare("DELETE FROM changes WHERE seq <= ?");
  const { acceptMessage, acceptDirectMessage } = createMessageWrites(
    db,
    journal,
  );

  return {
    /** `now` and the end of the lease are of the store's monotonic time. */
    claimConsumer(
      name: string,
      owner: string,
      leaseUntil: number,
      now: number,
    ): number | undefined {
      addConsumer.run(name, latest.get()?.[0] ?? 0);
      const { changes } = claim.run(owner, leaseUntil, name, owner, now);
      return changes === 0 ? undefined : positionOf.get(name)?.[0];
    },
    advanceConsumer(
      name: string,
      owner: string,
      from: number,
      to: number,
      messages: readonly EventMessageValues[],
    ): boolean {
      if (advance.run(to, name, owner, from).changes === 0) return false;
      for (const [message, recipient] of messages) {
        const at = createdAtOf(message);
        if (recipient) {
          acceptDirectMessage(
            message,
            null,
            [recipient],
            [at, reportUrgency, null],
          );
        }
        // The range is not leased: the engine gets a hint once all is on disk.
        else acceptMessage(message, null, at, null);
      }
      return true;
    },
    forgetChanges(before: EpochMs, maxBatches: number, limit: number): number {
      const newest = latest.get()?.[0] ?? 0;
      const read = lowest.get()?.[0] ?? newest;
      let upto = 0;
      let count = 0;
      for (const [seq, at] of oldest.all(limit)) {
        if (seq >= newest) break;
        const isTooMany = seq <= newest - maxBatches;
        if (!isTooMany && (at >= before || seq > read)) break;
        upto = seq;
        count++;
      }
      if (count > 0) forget.run(upto);
      return count;
    },
  };
}
