/** Writes of fan-out: claiming, cutting and ending ranges. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, FinishReport } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { OutcomeColumns } from "./outcome-columns.ts";
import { createOutcomeWrites } from "./outcome-writes.ts";
import type { StateRules } from "./state-rules.ts";

export type RangeRow = readonly [
  messageSeq: number,
  topicSeq: number,
  afterTarget: number,
  uptoTarget: number | null,
  fence: number,
];

/** What a range is found by, and the fence of its claim. */
export type RangeKey = readonly [
  messageSeq: number,
  topicSeq: number,
  afterTarget: number,
  fence: number,
];

/** Which ranges are claimed; see `ClaimRequest`. */
export interface RangeClaim {
  readonly limit: number;
  /** `null`: none is cut. */
  readonly rangeSize: number | null;
  readonly maxCutRanges: number;
}

const key = "message_seq = ? AND topic_seq = ? AND after_target = ?";

export function createRangeWrites(
  db: DatabaseSync,
  rules: StateRules,
  journal: ChangeJournal,
) {
  /** Parameters: now, limit. Index: ranges_free. */
  const free = prepareQuery<RangeRow>(
    db,
    `SELECT message_seq, topic_seq, after_target, upto_target, fence
     FROM ranges INDEXED BY ranges_free
     WHERE owner IS NULL AND due_at <= ?
     ORDER BY due_at, message_seq LIMIT ?`,
  );
  /** Parameters: end, fence, owner, end of the lease, key. */
  const claim = db.prepare(
    `UPDATE ranges SET upto_target = ?, fence = ?, owner = ?, lease_until = ?
     WHERE ${key}`,
  );
  const cut = createCut(db);
  /** Parameters: key, fence. */
  const remove = db.prepare(`DELETE FROM ranges WHERE ${key} AND fence = ?`);
  /**
   * Leaves the rest of a range that was worked in part, for anybody to claim.
   * Parameters: where it was worked to, now, key, fence, the same twice.
   */
  const shorten = db.prepare(
    `UPDATE ranges SET after_target = ?, due_at = ?, owner = NULL,
       lease_until = NULL, fence = fence + 1
     WHERE ${key} AND fence = ?
       AND after_target < ? AND (upto_target IS NULL OR upto_target > ?)`,
  );
  /** Raises the fence: the engine that gave it back cannot end it. */
  const release = db.prepare(
    `UPDATE ranges SET owner = NULL, lease_until = NULL, fence = fence + 1
     WHERE ${key} AND fence = ?`,
  );
  const outcomes = createOutcomeWrites(db, rules, journal);

  return {
    /** Answers the ranges as they are claimed now. */
    claimRanges(
      owner: string,
      leaseUntil: number,
      now: EpochMs,
      { limit, rangeSize, maxCutRanges }: RangeClaim,
    ): { claimed: RangeRow[]; mayHaveMore: boolean } {
      const claimed: RangeRow[] = [];
      let cuts = 0;
      const rows = free.all(now, limit);
      for (const [seq, topic, after, upto, fence] of rows) {
        const end =
          rangeSize === null
            ? undefined
            : cut.find(topic, after, upto, rangeSize);
        if (end !== undefined) {
          if (cuts === maxCutRanges) continue;
          cuts++;
          cut.addRest(seq, topic, end, upto, now);
        }
        const claimedUpto = end ?? upto;
        claim.run(claimedUpto, fence + 1, owner, leaseUntil, seq, topic, after);
        claimed.push([seq, topic, after, claimedUpto, fence + 1]);
      }
      return {
        claimed,
        // What was cut has a rest, and what was passed over is still there.
        mayHaveMore:
          rows.length === limit || cuts > 0 || claimed.length < rows.length,
      };
    },
    /** `uptoTarget`: where it was worked to, if not to its end. */
    finishRange(
      rangeKey: RangeKey,
      columns: OutcomeColumns,
      uptoTarget: number | null,
      now: EpochMs,
    ): FinishReport {
      const { changes } =
        uptoTarget === null
          ? remove.run(...rangeKey)
          : shorten.run(uptoTarget, now, ...rangeKey, uptoTarget, uptoTarget);
      if (changes === 0) return { kept: false, refused: [] };
      return { kept: true, refused: outcomes.addAll(columns) };
    },
    releaseRanges(rangeKeys: readonly RangeKey[]): void {
      for (const rangeKey of rangeKeys) release.run(...rangeKey);
    },
  };
}

/** Cuts ranges to size. */
export function createCut(db: DatabaseSync) {
  /**
   * The last recipient of a range of a given size, and the one behind it.
   * Parameters: topic, after, up to, size less one. Index:
   * subscriptions_active, in which the row number is the hidden last column;
   * walks as many of its entries as the size says.
   */
  const around = prepareQuery<[target: number]>(
    db,
    `SELECT seq FROM subscriptions INDEXED BY subscriptions_active
     WHERE topic_seq = ? AND status IN (1, 2, 5) AND seq > ? AND seq <= ?
     ORDER BY seq LIMIT 2 OFFSET ?`,
  );
  /** Parameters: message, topic, after, up to, when it is due. */
  const insert = db.prepare(
    `INSERT INTO ranges
       (message_seq, topic_seq, after_target, upto_target, due_at, fence)
     VALUES (?, ?, ?, ?, ?, 0)`,
  );
  return {
    /** Where to cut; `undefined` when it has no more than `size` recipients. */
    find(
      topicSeq: number,
      afterTarget: number,
      uptoTarget: number | null,
      size: number,
    ): number | undefined {
      const upto = uptoTarget ?? Number.MAX_SAFE_INTEGER;
      const [last, next] = around.all(topicSeq, afterTarget, upto, size - 1);
      return next && last?.[0];
    },
    /** What is behind the cut, for anybody to claim. */
    addRest(
      messageSeq: number,
      topicSeq: number,
      afterTarget: number,
      uptoTarget: number | null,
      dueAt: EpochMs,
    ): void {
      insert.run(messageSeq, topicSeq, afterTarget, uptoTarget, dueAt);
    },
  };
}
