/** Writes of carriers' receipts, and when to ask for them. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, NextPoll, Receipt } from "@carillon/core";
import { receiptEventCodes, stateCodes } from "../schema/codes.ts";
import { receipts } from "../schema/delivery-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { createReceiptEffects } from "./receipt-join.ts";

/** Key and last attempt of a delivery whose carrier is to be asked. */
export type PollRow = readonly [
  messageSeq: number,
  target: number,
  attempts: number,
];

export function createReceiptWrites(db: DatabaseSync, journal: ChangeJournal) {
  /**
   * The part that a provider knows by this id; the newest, should it use one
   * twice. Parameters: external id, entry. Index: parts_external_id.
   */
  const byExternalId = prepareQuery<
    [messageSeq: number, target: number, attempt: number, part: number]
  >(
    db,
    `SELECT message_seq, target, attempt, part
     FROM parts INDEXED BY parts_external_id
     WHERE external_id = ? AND entry = ?
     ORDER BY message_seq DESC, target DESC, attempt DESC, part DESC LIMIT 1`,
  );
  const insert = db.prepare(receipts.insert);
  /** Parameters: now, limit. Index: deliveries_poll. */
  const duePolls = prepareQuery<PollRow>(
    db,
    `SELECT message_seq, target, attempts
     FROM deliveries INDEXED BY deliveries_poll
     WHERE poll_at <= ? ORDER BY poll_at LIMIT ?`,
  );
  /** Index: the primary key. What is not waited for is not asked for. */
  const schedule = db.prepare(
    `UPDATE deliveries SET poll_at = ?
     WHERE message_seq = ? AND target = ? AND state = ${stateCodes.sent}`,
  );
  const unschedule = db.prepare(
    "UPDATE deliveries SET poll_at = NULL WHERE message_seq = ? AND target = ?",
  );
  const apply = createReceiptEffects(db);
  const counts = createCounts(db, journal);

  return {
    /** Answers when the next attempt is due, if the receipt led to one. */
    recordReceipt(receipt: Receipt): EpochMs | undefined {
      const { entry, externalId, at, code = null, text = null } = receipt;
      const event = receiptEventCodes[receipt.event];
      const found = byExternalId.get(externalId, entry);
      const key = found && { messageSeq: found[0], target: found[1] };
      insert.run(...receipts.toRow({ ...receipt, ...key }));
      if (!found) return undefined;
      const [messageSeq, target, attempt, part] = found;
      const countChanges = new CountChanges();
      const nextAttemptAt = apply(
        { messageSeq, target, attempt, part },
        { event, at, code, text },
        countChanges,
      );
      counts.add(countChanges, at);
      return nextAttemptAt;
    },
    /** Puts those that are due off to `until`, and answers them. */
    claimPolls(now: EpochMs, until: EpochMs, limit: number): PollRow[] {
      return duePolls.all(now, limit).filter(([messageSeq, target]) => {
        const { changes } = schedule.run(until, messageSeq, target);
        if (changes === 0) unschedule.run(messageSeq, target);
        return changes > 0;
      });
    },
    schedulePolls(polls: readonly NextPoll[]): void {
      for (const { messageSeq, target, pollAt } of polls) {
        schedule.run(pollAt, messageSeq, target);
      }
    },
  };
}
