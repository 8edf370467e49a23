/** Cancels deliveries that nobody wants any more. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { stateCodes } from "../schema/codes.ts";
import { createMailboxEntry } from "./mailbox-entry.ts";
import type { CountChanges } from "./message-counts.ts";
import type { SettledCounts } from "./statistics-writes.ts";
import { createHandover } from "./topic-turns.ts";

const { cancelled } = stateCodes;

export function createCancellation(db: DatabaseSync) {
  /** A fence more, so that who lost its claim cannot report on it. */
  const cancel = db.prepare(
    `UPDATE deliveries SET state = ${cancelled}, fence = fence + 1,
       next_attempt_at = NULL, mailbox = NULL, queue_state = NULL,
       lease_until = NULL, event_id = NULL, expires_at = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  /**
   * Says why no attempt was made; where one was, it stands for itself.
   * Parameters: now, reason, message, target.
   */
  const explain = db.prepare(
    `UPDATE deliveries SET last_at = ?, last_duration_ms = 0, last_error = ?
     WHERE message_seq = ? AND target = ? AND attempts = 0`,
  );
  const handOver = createHandover(db);
  const { findOrdered } = createMailboxEntry(db);
  /**
   * @param reason for the ledger, if it needs one
   * @param settledCounts absent: its topic has no statistics any more
   */
  return (
    [messageSeq, target, state]: readonly [
      number,
      number,
      number,
      ...unknown[],
    ],
    reason: string | undefined,
    now: EpochMs,
    countChanges: CountChanges,
    settledCounts?: SettledCounts,
  ): void => {
    const unblocked = findOrdered(messageSeq, target);
    if (unblocked !== undefined) countChanges.readyMailboxes.add(unblocked);
    cancel.run(messageSeq, target);
    if (reason !== undefined) explain.run(now, reason, messageSeq, target);
    countChanges.move(messageSeq, target, state, cancelled);
    settledCounts?.add(messageSeq, target, cancelled, now);
    handOver(messageSeq, target, now);
  };
}
