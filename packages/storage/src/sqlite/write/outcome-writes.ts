/** Writes outcomes into the ledger. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import type { Column, OutcomeColumns } from "./outcome-columns.ts";
import type { StateRules } from "./state-rules.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

export function createOutcomeWrites(db: DatabaseSync, rules: StateRules) {
  /**
   * Adds a delivery with its outcome; changes nothing when it is there.
   * Index: the primary key. Called for every recipient of every message.
   */
  const insert = db.prepare(
    `INSERT INTO deliveries (message_seq, target, state, attempts,
       next_attempt_at, fence, billable, round, last_at, last_duration_ms,
       last_status_code, last_error_class, last_error, last_provider,
       provider, external_id, segments)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  /** Parameters: message, target. Index: the primary key. */
  const find = prepareQuery<[state: number, fence: number]>(
    db,
    `SELECT state, fence FROM deliveries
     WHERE message_seq = ? AND target = ?`,
  );
  /**
   * What an outcome does not say stays as it was.
   * Parameters: columns, message, target. Index: the primary key.
   */
  const update = db.prepare(
    `UPDATE deliveries SET state = ?, attempts = ?, next_attempt_at = ?,
       provider = coalesce(?, provider),
       external_id = coalesce(?, external_id),
       segments = coalesce(?, segments)
     WHERE message_seq = ? AND target = ?`,
  );
  /** All of the last attempt at once: its parts belong together. */
  const updateLastAttempt = db.prepare(
    `UPDATE deliveries SET last_at = ?, last_duration_ms = ?,
       last_status_code = ?, last_error_class = ?, last_error = ?,
       last_provider = ?
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
    countChanges: CountChanges,
    settledCounts: SettledCounts,
  ): void {
    const messageSeq = need(columns.messageSeq, row);
    const target = need(columns.target, row);
    const reported = need(columns.state, row);
    const state = rules.afterOutcome[known]?.[reported] ?? known;
    if (rules.settled[state] && !rules.settled[known]) {
      settledCounts.add(messageSeq, target, state, at(columns.lastAt, row));
    }
    update.run(
      state,
      need(columns.attempts, row),
      rules.settled[state] ? null : at(columns.nextAttemptAt, row),
      at(columns.provider, row),
      at(columns.externalId, row),
      at(columns.segments, row),
      messageSeq,
      target,
    );
    if (at(columns.lastAt, row) !== null) {
      updateLastAttempt.run(
        at(columns.lastAt, row),
        at(columns.lastDurationMs, row),
        at(columns.lastStatusCode, row),
        at(columns.lastErrorClass, row),
        at(columns.lastError, row),
        at(columns.lastProvider, row),
        messageSeq,
        target,
      );
    }
    countChanges.move(messageSeq, known, state);
    finish(columns, row, state, countChanges);
  }

  /** What early receipts say of a delivery whose outcome was just written. */
  function finish(
    columns: OutcomeColumns,
    row: number,
    state: number,
    countChanges: CountChanges,
  ): void {
    const externalId = at(columns.externalId, row);
    const provider = at(columns.provider, row);
    if (externalId === null || provider === null) return;
    const messageSeq = need(columns.messageSeq, row);
    const target = need(columns.target, row);
    joinReceipts(messageSeq, target, externalId, provider, state, countChanges);
  }

  return {
    /** Outcomes of a chunk: deliveries that are new to the ledger. */
    addAll(columns: OutcomeColumns): void {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      for (let row = 0; row < columns.size; row++) {
        const messageSeq = need(columns.messageSeq, row);
        const target = need(columns.target, row);
        const state = need(columns.state, row);
        const { changes } = insert.run(
          messageSeq,
          target,
          state,
          need(columns.attempts, row),
          rules.settled[state] ? null : at(columns.nextAttemptAt, row),
          at(columns.fence, row) ?? 0,
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
          countChanges.add(messageSeq, state);
          if (rules.settled[state]) {
            settledCounts.add(
              messageSeq,
              target,
              state,
              at(columns.lastAt, row),
            );
          }
          finish(columns, row, state, countChanges);
          continue;
        }
        // It is there already. If a run before this one got to its end, that
        // one's word stands.
        const [known = 0] = find.get(messageSeq, target) ?? [];
        if (!rules.settled[known]) {
          merge(columns, row, known, countChanges, settledCounts);
        }
      }
      counts.add(countChanges);
      statistics.add(settledCounts);
    },
    /** Outcomes of claimed deliveries, as far as the claims still hold. */
    recordAll(columns: OutcomeColumns): void {
      const countChanges = new CountChanges();
      const settledCounts = new SettledCounts();
      for (let row = 0; row < columns.size; row++) {
        const messageSeq = need(columns.messageSeq, row);
        const target = need(columns.target, row);
        const [known = 0, fence] = find.get(messageSeq, target) ?? [];
        if (fence !== at(columns.fence, row)) continue;
        const previous = at(columns.previousAttempt, row);
        if (previous) insertAttempt.run(messageSeq, target, ...previous);
        merge(columns, row, known, countChanges, settledCounts);
      }
      counts.add(countChanges);
      statistics.add(settledCounts);
    },
  };
}

/** Applies receipts that came before the id they speak of was known. */
function createReceiptJoin(db: DatabaseSync, rules: StateRules) {
  /**
   * Parameters: external id, provider. Index: receipts_early, which is empty
   * but for what providers reported too soon.
   */
  const early = prepareQuery<[seq: number, event: number]>(
    db,
    `SELECT seq, event FROM receipts INDEXED BY receipts_early
     WHERE external_id = ? AND provider = ? AND message_seq IS NULL
     ORDER BY seq`,
  );
  const join = db.prepare(
    "UPDATE receipts SET message_seq = ?, target = ? WHERE seq = ?",
  );
  const settle = db.prepare(
    `UPDATE deliveries SET state = ?, next_attempt_at = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  return (
    messageSeq: number,
    target: number,
    externalId: string,
    provider: string,
    state: number,
    countChanges: CountChanges,
  ): void => {
    let current = state;
    for (const [seq, event] of early.all(externalId, provider)) {
      join.run(messageSeq, target, seq);
      current = rules.afterReceipt[event]?.[current] ?? current;
    }
    if (current === state) return;
    settle.run(current, messageSeq, target);
    countChanges.move(messageSeq, state, current);
  };
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
