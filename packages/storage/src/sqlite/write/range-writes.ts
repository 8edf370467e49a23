/** Writes of fan-out: claiming, cutting and ending ranges. */

import type { DatabaseSync } from "node:sqlite";
import type { RangeEnd } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { OutcomeColumns } from "./outcome-columns.ts";
import { createOutcomeWrites } from "./outcome-writes.ts";
import type { StateRules } from "./state-rules.ts";

export type RangeRow = readonly [
  messageSeq: number,
  afterTarget: number,
  uptoTarget: number | null,
  fence: number,
];

const rangeColumns = "message_seq, after_target, upto_target, fence";

export function createRangeWrites(
  db: DatabaseSync,
  rules: StateRules,
  journal: ChangeJournal,
) {
  /**
   * Ranges nobody holds, oldest message first.
   * Parameters: limit. Index: the primary key; before the first free range come
   * only those that engines are at work on.
   */
  const free = prepareQuery<RangeRow>(
    db,
    `SELECT ${rangeColumns} FROM ranges WHERE owner IS NULL
     ORDER BY message_seq, after_target LIMIT ?`,
  );
  /** Parameters: fence, owner, end of the lease, key. */
  const claim = db.prepare(
    `UPDATE ranges SET fence = ?, owner = ?, lease_until = ?
     WHERE message_seq = ? AND after_target = ?`,
  );
  /**
   * The rest of a range that is held, as far as it has one behind the cut. A
   * start is cut only once: fence 0 is nobody's.
   * Parameters: cut, key, fence, cut, cut.
   */
  const insertRest = db.prepare(
    `INSERT INTO ranges (message_seq, after_target, upto_target, fence)
     SELECT message_seq, ?, upto_target, 0 FROM ranges
     WHERE message_seq = ? AND after_target = ? AND fence = ?
       AND after_target < ? AND (upto_target IS NULL OR upto_target > ?)`,
  );
  /** Parameters: cut, key. */
  const close = db.prepare(
    `UPDATE ranges SET upto_target = ?
     WHERE message_seq = ? AND after_target = ?`,
  );
  /** Parameters: key, fence. */
  const remove = db.prepare(
    `DELETE FROM ranges
     WHERE message_seq = ? AND after_target = ? AND fence = ?`,
  );
  /** Raises the fence: the engine that gave it back cannot end it. */
  const release = db.prepare(
    `UPDATE ranges SET owner = NULL, lease_until = NULL, fence = fence + 1
     WHERE message_seq = ? AND after_target = ? AND fence = ?`,
  );
  const outcomes = createOutcomeWrites(db, rules, journal);

  return {
    claimRanges(owner: string, leaseUntil: number, limit: number): RangeRow[] {
      return free.all(limit).map(([seq, after, upto, fence]) => {
        claim.run(fence + 1, owner, leaseUntil, seq, after);
        return [seq, after, upto, fence + 1];
      });
    },
    /** Answers false when the lease was lost or there is nothing to cut. */
    splitRange(
      messageSeq: number,
      afterTarget: number,
      fence: number,
      uptoTarget: number,
    ): boolean {
      const { changes } = insertRest.run(
        uptoTarget,
        messageSeq,
        afterTarget,
        fence,
        uptoTarget,
        uptoTarget,
      );
      if (changes === 0) return false;
      close.run(uptoTarget, messageSeq, afterTarget);
      return true;
    },
    completeRange(
      messageSeq: number,
      afterTarget: number,
      fence: number,
      columns: OutcomeColumns,
    ): RangeEnd {
      if (remove.run(messageSeq, afterTarget, fence).changes === 0) {
        return { kept: false, refused: [] };
      }
      return { kept: true, refused: outcomes.addAll(columns) };
    },
    releaseRange(messageSeq: number, afterTarget: number, fence: number): void {
      release.run(messageSeq, afterTarget, fence);
    },
  };
}
