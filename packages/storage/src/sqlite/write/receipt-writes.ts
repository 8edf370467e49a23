/** Writes of carriers' receipts, and when to ask for them. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, NextPoll, Receipt, ReceiptSource } from "@carillon/core";
import { enoughReceipts, isNews } from "@carillon/core/rules";
import { partStateOf, receiptEventCodes, stateCodes } from "../schema/codes.ts";
import { receipts } from "../schema/delivery-table.ts";
import { orNull, prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges } from "./message-counts.ts";
import { createReceiptEffects } from "./receipt-join.ts";

/** A delivery whose carrier is to be asked. */
export type PollRow = readonly [
  messageSeq: number,
  target: number,
  attempts: number,
  sentAt: EpochMs,
  state: number,
];

/** Whether a carrier has it, or may have. */
function isAsked(state: number): boolean {
  return state === stateCodes.sent || state === stateCodes.unknown;
}

export function createReceiptWrites(db: DatabaseSync, journal: ChangeJournal) {
  /**
   * The part that a provider knows by this id; the newest, should it use one
   * twice. Parameters: external id, entry. Index: parts_external_id.
   */
  const byExternalId = prepareQuery<
    [
      messageSeq: number,
      target: number,
      attempt: number,
      part: number,
      state: number,
      isUnknown: number,
    ]
  >(
    db,
    `SELECT message_seq, target, attempt, part, state,
       (SELECT d.state = ${stateCodes.unknown} AND d.attempts = p.attempt
        FROM deliveries AS d
        WHERE d.message_seq = p.message_seq AND d.target = p.target)
     FROM parts AS p INDEXED BY parts_external_id
     WHERE external_id = ? AND entry = ?
     ORDER BY message_seq DESC, target DESC, attempt DESC, part DESC LIMIT 1`,
  );
  /**
   * A row once there are enough of a part. Parameters: message, target, external
   * id, entry. Index: receipts_of_delivery.
   */
  const enoughOfPart = prepareQuery<[found: number]>(
    db,
    `SELECT 1 FROM receipts INDEXED BY receipts_of_delivery
     WHERE message_seq = ? AND target = ? AND external_id = ? AND entry = ?
     LIMIT 1 OFFSET ${enoughReceipts - 1}`,
  );
  /**
   * Whatever comes once there are enough is of an event of its own: the limit
   * cuts nothing off. Parameters: external id, entry. Index: receipts_early.
   */
  const earlyEvents = prepareQuery<[event: number]>(
    db,
    `SELECT event FROM receipts INDEXED BY receipts_early
     WHERE external_id = ? AND entry = ? AND message_seq IS NULL
     LIMIT ${enoughReceipts + Object.keys(receiptEventCodes).length}`,
  );
  const insert = db.prepare(receipts.insert);
  /**
   * Parameters: entry, now, limit. Index: deliveries_poll. Whatever is asked
   * about has a last attempt.
   */
  const duePolls = prepareQuery<PollRow>(
    db,
    `SELECT message_seq, target, attempts,
       coalesce(last_at + last_duration_ms, poll_at), state
     FROM deliveries INDEXED BY deliveries_poll
     WHERE provider = ? AND poll_at <= ? ORDER BY poll_at LIMIT ?`,
  );
  /** Index: the primary key. */
  const setPollAt = db.prepare(
    "UPDATE deliveries SET poll_at = ? WHERE message_seq = ? AND target = ?",
  );
  /** Index: the primary key. What is not waited for is not asked for. */
  const schedule = db.prepare(
    `UPDATE deliveries SET poll_at = ?
     WHERE message_seq = ? AND target = ? AND attempts = ?
       AND state IN (${stateCodes.sent}, ${stateCodes.unknown})`,
  );
  const apply = createReceiptEffects(db);

  /** Keeps what may be joined with a part later. */
  function keepEarly(receipt: Receipt): void {
    const kept = earlyEvents.all(receipt.externalId, receipt.entry);
    const event = receiptEventCodes[receipt.event];
    const isKnown = kept.some(([it]) => it === event);
    if (isKnown && kept.length >= enoughReceipts) return;
    insert.run(...receipts.toRow(receipt));
  }

  return {
    /** Answers when the next attempt is due, if the receipt led to one. */
    recordReceipt(
      receipt: Receipt,
      source: ReceiptSource = "pushed",
    ): EpochMs | undefined {
      const { entry, externalId, at, code = null, text = null } = receipt;
      const event = receiptEventCodes[receipt.event];
      const found = byExternalId.get(externalId, entry);
      if (!found) {
        if (source === "pushed") keepEarly(receipt);
        return undefined;
      }
      const [messageSeq, target, attempt, part, known, isUnknown] = found;
      if (!isNews(partStateOf(known), receipt.event, isUnknown === 1)) {
        if (source === "polled") return undefined;
        const isEnough = enoughOfPart.get(
          messageSeq,
          target,
          externalId,
          entry,
        );
        if (isEnough) return undefined;
      }
      insert.run(...receipts.toRow({ ...receipt, messageSeq, target }));
      const countChanges = new CountChanges();
      const nextAttemptAt = apply(
        { messageSeq, target, attempt, part },
        { event, at, code, text },
        countChanges,
      );
      journal.addCounts(countChanges, at);
      return nextAttemptAt;
    },
    /**
     * Puts those that are due off to `until`, and answers them. One whose next
     * attempt is under way may be `sent` again after it.
     */
    claimPolls(
      entry: string,
      now: EpochMs,
      until: EpochMs,
      limit: number,
    ): { rows: PollRow[]; mayHaveMore: boolean } {
      const due = duePolls.all(entry, now, limit);
      for (const [messageSeq, target, , , state] of due) {
        const mayBeAsked = isAsked(state) || state === stateCodes.sending;
        setPollAt.run(mayBeAsked ? until : null, messageSeq, target);
      }
      return {
        rows: due.filter(([, , , , state]) => isAsked(state)),
        mayHaveMore: due.length === limit,
      };
    },
    schedulePolls(polls: readonly NextPoll[]): void {
      for (const { messageSeq, target, attempts, pollAt } of polls) {
        schedule.run(orNull(pollAt), messageSeq, target, attempts);
      }
    },
  };
}
