/**
 * Cancels whole messages: nothing more goes out. All of it in the transaction of
 * the caller, so that a crash leaves either all of it or nothing.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";

export function createMessageCancellation(db: DatabaseSync) {
  /**
   * What falls due of its deliveries from now on is cancelled as it is claimed.
   * Parameters: now, job, message.
   */
  const mark = db.prepare(
    `UPDATE messages SET cancelled_at = ?, cancelled_by = ?
     WHERE seq = ? AND cancelled_at IS NULL`,
  );
  /** Parameters: message. Index: the primary key. */
  const removeFree = db.prepare(
    "DELETE FROM ranges WHERE message_seq = ? AND owner IS NULL",
  );
  /**
   * Attempts of these may be under way, and their outcomes are still written; no
   * more than that is made of them. Parameters: message. Index: the primary key.
   */
  const endHeld = db.prepare(
    "UPDATE ranges SET is_cancelled = 1 WHERE message_seq = ?",
  );
  return (messageSeq: number, jobSeq: number, now: EpochMs): void => {
    if (mark.run(now, jobSeq, messageSeq).changes === 0) return;
    removeFree.run(messageSeq);
    endHeld.run(messageSeq);
  };
}
