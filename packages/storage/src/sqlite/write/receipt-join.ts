/** Applies receipts that came before their delivery's id was known. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import type { CountChanges } from "./message-counts.ts";
import type { StateRules } from "./state-rules.ts";
import type { SettledCounts } from "./statistics-writes.ts";

export interface ReportedDelivery {
  readonly messageSeq: number;
  readonly target: number;
  readonly externalId: string;
  /** Without one nobody can have reported on it. */
  readonly provider: string | null;
  /** When its last attempt was. */
  readonly at: EpochMs | null;
}

export function createReceiptJoin(db: DatabaseSync, rules: StateRules) {
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
  const settle = createReceiptSettlement(db);

  /** For an outcome that was just written; its delivery is in `state`. */
  return (
    { messageSeq, target, externalId, provider, at }: ReportedDelivery,
    state: number,
    totals: { countChanges: CountChanges; settledCounts: SettledCounts },
  ): void => {
    if (provider === null) return;
    let current = state;
    for (const [seq, event] of early.all(externalId, provider)) {
      join.run(messageSeq, target, seq);
      current = rules.afterReceipt[event]?.[current] ?? current;
    }
    if (current === state) return;
    settle(current, messageSeq, target);
    totals.countChanges.move(messageSeq, target, state, current);
    if (rules.settled[current] && !rules.settled[state]) {
      totals.settledCounts.add(messageSeq, target, current, at);
    }
  };
}

/** A receipt settles: nothing is planned after it, and no claim is needed. */
export function createReceiptSettlement(db: DatabaseSync) {
  const settle = db.prepare(
    `UPDATE deliveries SET state = ?, next_attempt_at = NULL, owner = NULL,
       lease_until = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  return (state: number, messageSeq: number, target: number): void => {
    settle.run(state, messageSeq, target);
  };
}
