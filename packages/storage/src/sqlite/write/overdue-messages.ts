/** Ends what nobody fetched in time: in rounds, and where it takes others' room. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { unfetchedError } from "@carillon/core/rules";
import { errorClassCodes, queueStates, stateCodes } from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createMailboxEntry } from "./mailbox-entry.ts";
import {
  type CancelledEnd,
  createCancelledEnds,
} from "./message-cancellation.ts";
import type { CountChanges } from "./message-counts.ts";
import type { SettledCounts } from "./statistics-writes.ts";

const { waiting, expired } = stateCodes;

/** How many are ended at once to make room in a mailbox. */
const maxFreed = 100;

/** Of so many instants at which messages ended a mailbox looks for its own. */
const maxInstants = 500;

/** After so many looks of one operation that made no room it looks no more. */
const maxLooks = 20;

type Key = readonly [messageSeq: number, target: number];

/** One that waits and whose life is over. */
type OverdueRow = readonly [...Key, topicSeq: number];

/** Ends of one operation, which adds up what they change. */
export interface OverdueEnds {
  /** Answers how many it ended, of whatever mailbox; those first that ended first. */
  endFirst(limit: number): number;
  /** Ends some that are in a full mailbox; answers whether there were any. */
  makeRoom(mailbox: number, except?: Key): boolean;
}

export function createOverdueEnds(
  db: DatabaseSync,
  journal: ChangeJournal,
): (
  now: EpochMs,
  totals: {
    readonly countChanges: CountChanges;
    readonly settledCounts: SettledCounts;
  },
) => OverdueEnds {
  const columns = `message_seq, target,
    (SELECT topic_seq FROM subscriptions WHERE seq = target)`;
  const from = `deliveries INDEXED BY deliveries_expiring
    WHERE queue_state < ${queueStates.dead}`;
  /** Parameters: now, limit. Index: deliveries_expiring. */
  const first = prepareQuery<OverdueRow>(
    db,
    `SELECT ${columns} FROM ${from} AND state = ${waiting} AND expires_at <= ?
     ORDER BY expires_at LIMIT +?`,
  );
  /** Parameters: instant, now. Index: deliveries_expiring. */
  const nextInstant = prepareQuery<[expiresAt: number]>(
    db,
    `SELECT expires_at FROM ${from} AND expires_at > ? AND expires_at <= ?
     ORDER BY expires_at LIMIT 1`,
  );
  /** Parameters: instant, mailbox, limit. Index: deliveries_expiring. */
  const ofInstant = prepareQuery<OverdueRow>(
    db,
    `SELECT ${columns} FROM ${from} AND state = ${waiting}
       AND expires_at = ? AND mailbox = ? LIMIT +?`,
  );
  /** Parameters: now, error, message, target. Index: the primary key. */
  const expire = db.prepare(
    `UPDATE deliveries SET state = ${expired}, queue_state = NULL,
       mailbox = NULL, lease_until = NULL, expires_at = NULL, last_at = ?,
       last_duration_ms = 0, last_error_class = ${errorClassCodes.expired},
       last_error = ?
     WHERE message_seq = ? AND target = ?`,
  );
  const { findOrdered } = createMailboxEntry(db);
  const createCancelledEnd = createCancelledEnds(db);

  /** Those of a mailbox, among the first instants. */
  function* find(mailbox: number, now: EpochMs): Generator<OverdueRow> {
    let last = -1;
    for (let n = 0; n < maxInstants; n++) {
      const [instant] = nextInstant.get(last, now) ?? [];
      if (instant === undefined) return;
      yield* ofInstant.all(instant, mailbox, maxFreed);
      last = instant;
    }
  }

  return (now, { countChanges, settledCounts }) => {
    let endIfCancelled: CancelledEnd | undefined;
    let looks = maxLooks;

    function end([messageSeq, target, topicSeq]: OverdueRow): void {
      endIfCancelled ??= createCancelledEnd(now, countChanges, settledCounts);
      if (endIfCancelled(messageSeq, target, waiting)) return;
      const unblocked = findOrdered(messageSeq, target);
      if (unblocked !== undefined) countChanges.readyMailboxes.add(unblocked);
      expire.run(now, unfetchedError, messageSeq, target);
      countChanges.move(messageSeq, target, waiting, expired);
      settledCounts.add(messageSeq, target, expired, now);
      const settled = {
        messageSeq,
        target,
        topicSeq,
        state: "expired",
      } as const;
      journal.queueOutcomes.settled(settled);
    }

    return {
      endFirst(limit) {
        const rows = first.all(now, limit);
        for (const row of rows) end(row);
        return rows.length;
      },
      makeRoom(mailbox, [messageSeq, target] = [0, 0]) {
        if (looks === 0) return false;
        let freed = 0;
        for (const row of find(mailbox, now)) {
          if (row[0] === messageSeq && row[1] === target) continue;
          end(row);
          if (++freed === maxFreed) break;
        }
        if (freed === 0) looks--;
        return freed > 0;
      },
    };
  };
}
