/** Writes about deliveries that wait for a report. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, IdleRule } from "@carillon/core";
import { failedByTimeout, nextState } from "@carillon/core/rules";
import {
  attemptOutcomeCodes,
  errorClassCodes,
  stateCodes,
} from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges } from "./message-counts.ts";

const { sent } = stateCodes;
const ended = stateCodes[nextState("sent", "fail")];

export function createDeliveryCheckWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
) {
  /** Parameters: billable, the latest instant, limit. Index: deliveries_idle. */
  const idle = prepareQuery<
    [messageSeq: number, target: number, state: number]
  >(
    db,
    `SELECT message_seq, target, state
     FROM deliveries INDEXED BY deliveries_idle
     WHERE billable = ? AND idle_from <= ? ORDER BY idle_from LIMIT ?`,
  );
  /** Not looked for any more. Parameters: message, target. */
  const forget = db.prepare(
    `UPDATE deliveries SET idle_from = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  /** Nothing is expected any more. Parameters: message, target. */
  const close = db.prepare(
    `UPDATE deliveries SET idle_from = NULL, next_attempt_at = NULL,
       poll_at = NULL, receipt_expected = 0, fails_over = 0
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: class, words, outcome, message, target. */
  const fail = db.prepare(
    `UPDATE deliveries SET state = ${ended}, idle_from = NULL,
       next_attempt_at = NULL, poll_at = NULL, receipt_expected = 0,
       fails_over = 0, last_error_class = ?, last_error = ?, last_outcome = ?
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: now, entry, now, limit. Index: deliveries_poll, both times. */
  const bringForward = db.prepare(
    `UPDATE deliveries SET poll_at = ?
     WHERE (message_seq, target) IN
       (SELECT message_seq, target FROM deliveries INDEXED BY deliveries_poll
        WHERE provider = ? AND poll_at > ? ORDER BY poll_at LIMIT ?)`,
  );

  return {
    endIdle(
      { billable, idleSince, timeoutMinutes, becomes }: IdleRule,
      now: EpochMs,
      limit: number,
    ): { idle: number; mayHaveMore: boolean } {
      const countChanges = new CountChanges();
      const { errorClass, error, outcome } = failedByTimeout(timeoutMinutes);
      const found = idle.all(billable ? 1 : 0, idleSince, limit);
      let count = 0;
      for (const [messageSeq, target, state] of found) {
        if (state === sent) count++;
        if (state !== sent || becomes === "unchanged") {
          forget.run(messageSeq, target);
          continue;
        }
        if (becomes === "final") {
          close.run(messageSeq, target);
          continue;
        }
        fail.run(
          errorClassCodes[errorClass],
          error,
          attemptOutcomeCodes[outcome],
          messageSeq,
          target,
        );
        countChanges.move(messageSeq, target, sent, ended);
      }
      journal.addCounts(countChanges, now);
      return { idle: count, mayHaveMore: found.length === limit };
    },
    bringPollsForward(entry: string, now: EpochMs, limit: number): number {
      return Number(bringForward.run(now, entry, now, limit).changes);
    },
  };
}
