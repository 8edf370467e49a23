/**
 * Cancels whole messages: they are fanned out no further. All of it in the
 * transaction of the caller, so that a crash leaves either all of it or nothing.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { cancelReasons } from "@carillon/core/rules";
import { prepareQuery } from "../schema/query.ts";
import { createCancellation } from "./cancellation.ts";
import type { ChangeNotices } from "./change-notices.ts";
import type { CountChanges } from "./message-counts.ts";
import { createOrderedRanges } from "./ordered-ranges.ts";
import type { SettledCounts } from "./statistics-writes.ts";

export function createMessageCancellation(
  db: DatabaseSync,
  notices: ChangeNotices,
) {
  /** Of one that nobody cancelled. Parameters: message. Index: the primary key. */
  const uncancelled = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM messages WHERE seq = ? AND cancelled_at IS NULL",
  );
  /** Parameters: message. Index: the primary key. */
  const anyRange = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM ranges WHERE message_seq = ? LIMIT 1",
  );
  /**
   * What would wait of its deliveries from now on is cancelled as it is written,
   * or claimed. Parameters: now, job, message.
   */
  const mark = db.prepare(
    `UPDATE messages SET cancelled_at = ?, cancelled_by = ?
     WHERE seq = ? AND cancelled_at IS NULL`,
  );
  /**
   * Attempts of those that are held may be under way, and their outcomes are still
   * written. Parameters: message. Index: the primary key.
   */
  const removeFree = prepareQuery<[orderingKey: string | null]>(
    db,
    `DELETE FROM ranges WHERE message_seq = ? AND owner IS NULL
     RETURNING ordering_key`,
  );
  const { freeNext } = createOrderedRanges(db);
  return {
    isPossible: (messageSeq: number) =>
      uncancelled.get(messageSeq) !== undefined,
    /** Whether it is not fully fanned out. */
    hasRanges: (messageSeq: number) => anyRange.get(messageSeq) !== undefined,
    /** Leaves one alone that is cancelled already. */
    cancel(messageSeq: number, jobSeq: number, now: EpochMs): void {
      if (mark.run(now, jobSeq, messageSeq).changes === 0) return;
      const [[key = null] = []] = removeFree.all(messageSeq);
      // An engine finds it when it looks for what is due.
      if (key !== null) freeNext(key, messageSeq, now);
      // Engines that hold some of it begin no more of that.
      notices.note({ kind: "message_cancelled", messageSeq });
    },
  };
}

/** Whether a message was cancelled; each is looked up once per check. */
type CancelledCheck = (messageSeq: number) => boolean;

/** Makes checks for one operation each: what one of them learned it keeps. */
function createCancelledChecks(db: DatabaseSync): () => CancelledCheck {
  /** Parameters: message. Index: the primary key. */
  const cancelled = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM messages WHERE seq = ? AND cancelled_at IS NOT NULL",
  );
  return () => {
    const known = new Map<number, boolean>();
    return (messageSeq) => {
      let isCancelled = known.get(messageSeq);
      if (isCancelled === undefined) {
        isCancelled = cancelled.get(messageSeq) !== undefined;
        known.set(messageSeq, isCancelled);
      }
      return isCancelled;
    };
  };
}

/**
 * Cancels a delivery that was just written so that it waits, or is tried again, if
 * its message was cancelled; answers whether it did.
 */
export type CancelledEnd = (
  messageSeq: number,
  target: number,
  state: number,
) => boolean;

/** Makes ends for one operation each, which adds up what they change. */
export function createCancelledEnds(db: DatabaseSync) {
  const createCheck = createCancelledChecks(db);
  const cancel = createCancellation(db);
  const reason = cancelReasons.message_cancelled;
  return (
    now: EpochMs,
    countChanges: CountChanges,
    settledCounts: SettledCounts,
  ): CancelledEnd => {
    const isCancelled = createCheck();
    return (messageSeq, target, state) => {
      if (!isCancelled(messageSeq)) return false;
      const row = [messageSeq, target, state] as const;
      cancel(row, reason, now, countChanges, settledCounts);
      return true;
    };
  };
}
