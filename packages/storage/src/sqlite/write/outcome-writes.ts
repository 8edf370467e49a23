/** Writes outcomes into the ledger. */

import type { DatabaseSync } from "node:sqlite";
import type { RefusedOutcome } from "@carillon/core";
import { refusedOutcome } from "@carillon/core/rules";
import { isRowRefused, toFailure } from "../failure.ts";
import { prepareQuery } from "../schema/query.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import {
  type Column,
  type OutcomeColumns,
  toOutcomeColumns,
} from "./outcome-columns.ts";
import { createReceiptJoin } from "./receipt-join.ts";
import type { StateRules } from "./state-rules.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

/** What an operation adds up, to be written once at its end. */
interface Totals {
  readonly countChanges: CountChanges;
  readonly settledCounts: SettledCounts;
}

/** Answers the state that the row is in now; `undefined`: it was left alone. */
type WriteRow = (
  columns: OutcomeColumns,
  row: number,
  totals: Totals,
) => number | undefined;

export function createOutcomeWrites(db: DatabaseSync, rules: StateRules) {
  /**
   * Adds a delivery with its outcome; changes nothing when it is there.
   * Index: the primary key. Called for every recipient of every message.
   */
  const insert = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts,
       next_attempt_at, fence, owner, lease_until, billable, round, last_at,
       last_duration_ms, last_status_code, last_error_class, last_error,
       last_provider, provider, external_id, segments)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  /** Parameters: message, target. Index: the primary key. */
  const find = prepareQuery<[state: number, fence: number]>(
    db,
    `SELECT state, fence FROM deliveries
     WHERE message_seq = ? AND target = ?`,
  );
  /**
   * What an outcome does not say stays as it was, but for the claim, which ends
   * unless there is a new one.
   * Parameters: columns, message, target. Index: the primary key.
   */
  const update = db.prepare(
    `UPDATE deliveries SET state = ?, attempts = ?, next_attempt_at = ?,
       owner = ?, lease_until = ?,
       provider = coalesce(?, provider),
       external_id = coalesce(?, external_id),
       segments = coalesce(?, segments)
     WHERE message_seq = ? AND target = ?`,
  );
  /**
   * The same with an attempt, all of it at once: its parts belong together. In
   * one statement, so that an outcome is written wholly or not at all.
   */
  const updateWithAttempt = db.prepare(
    `UPDATE deliveries SET state = ?, attempts = ?, next_attempt_at = ?,
       owner = ?, lease_until = ?,
       provider = coalesce(?, provider),
       external_id = coalesce(?, external_id),
       segments = coalesce(?, segments),
       last_at = ?, last_duration_ms = ?, last_status_code = ?,
       last_error_class = ?, last_error = ?, last_provider = ?
     WHERE message_seq = ? AND target = ?`,
  );
  /** Appends to the attempts before the last. Index: the primary key. */
  const insertAttempt = db.prepare(
    `INSERT INTO attempts (message_seq, target, n, at, duration_ms,
       status_code, error_class, error, provider)
     VALUES (?1, ?2,
       (SELECT coalesce(max(n), 0) + 1 FROM attempts
        WHERE message_seq = ?1 AND target = ?2),
       ?3, ?4, ?5, ?6, ?7, ?8)`,
  );
  const joinReceipts = createReceiptJoin(db, rules);
  const counts = createCounts(db);
  const statistics = createStatistics(db);

  /** Writes an outcome over a delivery that is in state `known`. */
  function merge(
    columns: OutcomeColumns,
    row: number,
    known: number,
    totals: Totals,
  ): number {
    const messageSeq = need(columns.messageSeq, row);
    const target = need(columns.target, row);
    const reported = need(columns.state, row);
    const state = rules.afterOutcome[known]?.[reported] ?? known;
    const isSettled = rules.settled[state];
    // Nobody goes on with what is settled.
    const values = [
      state,
      need(columns.attempts, row),
      isSettled ? null : at(columns.nextAttemptAt, row),
      isSettled ? null : at(columns.owner, row),
      isSettled ? null : at(columns.leaseUntil, row),
      at(columns.provider, row),
      at(columns.externalId, row),
      at(columns.segments, row),
    ];
    const lastAt = at(columns.lastAt, row);
    if (lastAt === null) {
      update.run(...values, messageSeq, target);
    } else {
      updateWithAttempt.run(
        ...values,
        lastAt,
        at(columns.lastDurationMs, row),
        at(columns.lastStatusCode, row),
        at(columns.lastErrorClass, row),
        at(columns.lastError, row),
        at(columns.lastProvider, row),
        messageSeq,
        target,
      );
    }
    totals.countChanges.move(messageSeq, known, state);
    if (isSettled && !rules.settled[known]) {
      totals.settledCounts.add(messageSeq, target, state, lastAt);
    }
    return state;
  }

  /** An outcome of a chunk. */
  const addRow: WriteRow = (columns, row, totals) => {
    const messageSeq = need(columns.messageSeq, row);
    const target = need(columns.target, row);
    const state = need(columns.state, row);
    const { changes } = insert.run(
      messageSeq,
      target,
      state,
      need(columns.attempts, row),
      rules.settled[state] ? null : at(columns.nextAttemptAt, row),
      0,
      at(columns.owner, row),
      at(columns.leaseUntil, row),
      at(columns.billable, row) ?? 0,
      at(columns.round, row),
      at(columns.lastAt, row),
      at(columns.lastDurationMs, row),
      at(columns.lastStatusCode, row),
      at(columns.lastErrorClass, row),
      at(columns.lastError, row),
      at(columns.lastProvider, row),
      at(columns.provider, row),
      at(columns.externalId, row),
      at(columns.segments, row),
    );
    if (changes > 0) {
      totals.countChanges.add(messageSeq, state);
      if (rules.settled[state]) {
        const lastAt = at(columns.lastAt, row);
        totals.settledCounts.add(messageSeq, target, state, lastAt);
      }
      return state;
    }
    // It is there already. If a run before this one got to its end, that is
    // what is kept. One that was claimed since has a fence that an attempt of
    // this chunk does not know: what comes of the claim decides.
    const [known = 0, fence] = find.get(messageSeq, target) ?? [];
    const isClaimed = fence !== 0 && at(columns.owner, row) !== null;
    if (rules.settled[known] || isClaimed) return undefined;
    return merge(columns, row, known, totals);
  };

  /** An outcome of a claimed delivery, if the claim still holds. */
  const recordRow: WriteRow = (columns, row, totals) => {
    const messageSeq = need(columns.messageSeq, row);
    const target = need(columns.target, row);
    const [known = 0, fence] = find.get(messageSeq, target) ?? [];
    if (fence === undefined || fence !== at(columns.fence, row)) {
      return undefined;
    }
    const previous = at(columns.previousAttempt, row);
    if (previous) insertAttempt.run(messageSeq, target, ...previous);
    return merge(columns, row, known, totals);
  };

  /**
   * Writes all rows. One that can never be written is replaced, and told, so
   * that it holds up no other; what may pass (the disk, a lock) fails them all,
   * to be written again.
   */
  function writeAll(
    columns: OutcomeColumns,
    writeRow: WriteRow,
  ): RefusedOutcome[] {
    const refused: RefusedOutcome[] = [];
    const totals: Totals = {
      countChanges: new CountChanges(),
      settledCounts: new SettledCounts(),
    };
    for (let row = 0; row < columns.size; row++) {
      try {
        const state = writeRow(columns, row, totals);
        if (state !== undefined) joinReceipts(columns, row, state, totals);
      } catch (error) {
        if (!isRowRefused(error)) throw error;
        const { message: reason } = toFailure(error);
        refused.push(replace(columns, row, reason, writeRow, totals));
      }
    }
    counts.add(totals.countChanges);
    statistics.add(totals.settledCounts);
    return refused;
  }

  return {
    /** Outcomes of a chunk: deliveries that are new to the ledger. */
    addAll: (columns: OutcomeColumns) => writeAll(columns, addRow),
    /** Outcomes of claimed deliveries, as far as the claims still hold. */
    recordAll: (columns: OutcomeColumns) => writeAll(columns, recordRow),
  };
}

/** Writes in place of a row that it could not be kept. */
function replace(
  columns: OutcomeColumns,
  row: number,
  reason: string,
  writeRow: WriteRow,
  totals: Totals,
): RefusedOutcome {
  // What was refused may lack any of these, whatever its type says.
  const key = {
    messageSeq: columns.messageSeq?.[row] as number,
    target: columns.target?.[row] as number,
  };
  const attempts = columns.attempts?.[row] as number;
  const outcome = refusedOutcome(
    { ...key, attempts },
    reason,
    columns.writtenAt,
  );
  const fence = at(columns.fence, row);
  try {
    writeRow(
      toOutcomeColumns(
        [fence === null ? outcome : { ...outcome, fence }],
        columns.writtenAt,
      ),
      0,
      totals,
    );
  } catch (error) {
    // Without a key there is no row to say it in.
    if (!isRowRefused(error)) throw error;
  }
  return { ...key, reason };
}

function at<Value>(column: Column<Value>, row: number): Value | null {
  return column?.[row] ?? null;
}

/** A value that every outcome has. */
function need(column: Column<number>, row: number): number {
  const value = column?.[row];
  if (value === undefined || value === null) {
    throw new TypeError(
      "An outcome lacks its message, target, state or count.",
    );
  }
  return value;
}
