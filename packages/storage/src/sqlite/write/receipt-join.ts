/** What receipts do to parts and their deliveries, whenever they come. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { failedByReceipt, mergeReceipt } from "@carillon/core/rules";
import {
  attemptOutcomeCodes,
  errorClassCodes,
  partStateCodes,
  partStateOf,
  receiptEventOf,
  stateCodes,
  stateOf,
} from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import type { CountChanges } from "./message-counts.ts";

export interface PartKey {
  readonly messageSeq: number;
  readonly target: number;
  readonly attempt: number;
  readonly part: number;
}

/** A row of receipts, less its key. */
export interface ReceiptRow {
  readonly event: number;
  readonly at: number;
  readonly code: string | null;
  readonly text: string | null;
}

/**
 * Applies a receipt to its part. Answers when the next attempt is due, if the
 * receipt led to one. A delivery with parts came to rest before: the statistics
 * have it already.
 */
export function createReceiptEffects(db: DatabaseSync) {
  /** Parameters: message, target. Index: the primary key. */
  const find = prepareQuery<
    [state: number, attempts: number, failsOver: number]
  >(
    db,
    `SELECT state, attempts, fails_over FROM deliveries
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: message, target, attempt. Index: the primary key. */
  const statesOf = prepareQuery<[part: number, state: number]>(
    db,
    `SELECT part, state FROM parts
     WHERE message_seq = ? AND target = ? AND attempt = ? ORDER BY part`,
  );
  const setPart = db.prepare(
    `UPDATE parts SET state = ?
     WHERE message_seq = ? AND target = ? AND attempt = ? AND part = ?`,
  );
  /** Nothing is planned any more, and no claim is needed. */
  const settle = db.prepare(
    `UPDATE deliveries SET state = ?, next_attempt_at = NULL, owner = NULL,
       lease_until = NULL, attempt_at = NULL, attempt_external_id = NULL,
       poll_at = NULL, idle_from = NULL,
       receipt_expected = 0, fails_over = 0
     WHERE message_seq = ? AND target = ?`,
  );
  /** What was unknown is known to be accepted. */
  const accept = db.prepare(
    "UPDATE deliveries SET state = ? WHERE message_seq = ? AND target = ?",
  );
  /** Parameters: when, class, words, outcome, message, target. */
  const failOver = db.prepare(
    `UPDATE deliveries SET state = ${stateCodes.retrying}, next_attempt_at = ?,
       poll_at = NULL, receipt_expected = 0, fails_over = 0,
       last_error_class = ?, last_error = ?, last_outcome = ?
     WHERE message_seq = ? AND target = ?`,
  );

  return (
    { messageSeq, target, attempt, part }: PartKey,
    receipt: ReceiptRow,
    countChanges: CountChanges,
  ): EpochMs | undefined => {
    const found = find.get(messageSeq, target);
    if (found === undefined) return undefined;
    const [known, attempts, failsOver] = found;
    const rows = statesOf.all(messageSeq, target, attempt);
    const states = rows.map(([, state]) => partStateOf(state));
    const n = rows.findIndex(([number]) => number === part);
    const event = receiptEventOf(receipt.event);
    const effect = mergeReceipt(
      {
        state: stateOf(known),
        isLastAttempt: attempt === attempts,
        failsOver: failsOver === 1,
        parts: states,
        part: n,
      },
      event,
    );
    if (effect.part !== states[n]) {
      const state = partStateCodes[effect.part];
      setPart.run(state, messageSeq, target, attempt, part);
    }
    const state = stateCodes[effect.state];
    if (state === known) return undefined;
    const at = receipt.at as EpochMs; // The column holds whole milliseconds.
    let nextAttemptAt: EpochMs | undefined;
    if (effect.state === "retrying") {
      const { errorClass, error, outcome } = failedByReceipt(
        { at, durationMs: 0 },
        {
          event,
          ...(receipt.code !== null && { code: receipt.code }),
          ...(receipt.text !== null && { text: receipt.text }),
        },
      );
      failOver.run(
        at,
        errorClass ? errorClassCodes[errorClass] : null,
        error ?? null,
        outcome ? attemptOutcomeCodes[outcome] : null,
        messageSeq,
        target,
      );
      nextAttemptAt = at;
    } else if (effect.state === "sent") accept.run(state, messageSeq, target);
    else settle.run(state, messageSeq, target);
    countChanges.move(messageSeq, target, known, state);
    return nextAttemptAt;
  };
}

/** Applies receipts that came before the id of their part was known. */
export function createReceiptJoin(db: DatabaseSync) {
  /**
   * Parameters: external id, entry. Index: receipts_early, which is empty but
   * for what carriers reported too soon.
   */
  const early = prepareQuery<
    [
      seq: number,
      event: number,
      at: number,
      code: string | null,
      text: string | null,
    ]
  >(
    db,
    `SELECT seq, event, at, code, text FROM receipts INDEXED BY receipts_early
     WHERE external_id = ? AND entry = ? AND message_seq IS NULL
     ORDER BY seq`,
  );
  const join = db.prepare(
    "UPDATE receipts SET message_seq = ?, target = ? WHERE seq = ?",
  );
  const apply = createReceiptEffects(db);

  /** For a part that was just written. */
  return (
    key: PartKey,
    externalId: string,
    entry: string,
    countChanges: CountChanges,
  ): void => {
    for (const [seq, event, at, code, text] of early.all(externalId, entry)) {
      join.run(key.messageSeq, key.target, seq);
      apply(key, { event, at, code, text }, countChanges);
    }
  };
}
