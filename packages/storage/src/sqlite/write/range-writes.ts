/** Writes of fan-out: claiming, cutting and ending ranges. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, FinishReport } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createOrderedRanges } from "./ordered-ranges.ts";
import type { OutcomeColumns } from "./outcome-columns.ts";
import { createOutcomeWrites } from "./outcome-writes.ts";
import { createCut } from "./range-cuts.ts";
import type { StateRules } from "./state-rules.ts";
import { createTopicTurns } from "./topic-turns.ts";

export type RangeRow = readonly [
  messageSeq: number,
  topicSeq: number,
  afterTarget: number,
  uptoTarget: number | null,
  fence: number,
  topicPosition: number | null,
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
  const free = prepareQuery<[...RangeRow, orderingKey: string | null]>(
    db,
    `SELECT message_seq, topic_seq, after_target, upto_target, fence,
       topic_position, ordering_key
     FROM ranges INDEXED BY ranges_free
     WHERE owner IS NULL AND due_at <= ?
     ORDER BY due_at, message_seq LIMIT +?`,
  );
  /** Parameters: end, fence, owner, end of the lease, key. */
  const claim = db.prepare(
    `UPDATE ranges SET upto_target = ?, fence = ?, owner = ?, lease_until = ?
     WHERE ${key}`,
  );
  const cut = createCut(db);
  const turns = createTopicTurns(db);
  const ordered = createOrderedRanges(db);
  /** Parameters: key, fence. */
  const remove = prepareQuery<[orderingKey: string | null]>(
    db,
    `DELETE FROM ranges WHERE ${key} AND fence = ? RETURNING ordering_key`,
  );
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
      let heldUp = 0;
      const rows = free.all(now, limit);
      for (const row of rows) {
        const [seq, topic, after, upto, fence, position, orderingKey] = row;
        if (orderingKey !== null && ordered.isHeldUp(orderingKey, seq, now)) {
          ordered.holdUp(seq, topic, after);
          heldUp++;
          continue;
        }
        const end =
          rangeSize === null
            ? undefined
            : cut.find(topic, after, upto, rangeSize);
        if (end !== undefined) {
          if (cuts === maxCutRanges) continue;
          cuts++;
          cut.addRest(seq, topic, end, upto, now, position, orderingKey);
        }
        const claimedUpto = end ?? upto;
        claim.run(claimedUpto, fence + 1, owner, leaseUntil, seq, topic, after);
        claimed.push([seq, topic, after, claimedUpto, fence + 1, position]);
      }
      return {
        claimed,
        // What was cut has a rest, and what was passed over is still there.
        mayHaveMore:
          rows.length === limit ||
          cuts > 0 ||
          claimed.length + heldUp < rows.length,
      };
    },
    /**
     * `topicPosition`: of a message to several topics. `uptoTarget`: where it was
     * worked to, if not to its end. `true`, for short: it was kept, none was
     * refused, and nothing came free with it.
     */
    finishRange(
      rangeKey: RangeKey,
      topicPosition: number | null,
      columns: OutcomeColumns,
      uptoTarget: number | null,
      now: EpochMs,
    ): FinishReport | true {
      const removed = uptoTarget === null ? remove.get(...rangeKey) : undefined;
      const isKept =
        removed !== undefined ||
        (uptoTarget !== null &&
          shorten.run(uptoTarget, now, ...rangeKey, uptoTarget, uptoTarget)
            .changes > 0);
      if (!isKept) return { kept: false, refused: [] };
      const [orderingKey = null] = removed ?? [];
      const { refused, unqueued } = outcomes.addAll(columns);
      const isPlain = refused.length + unqueued.length === 0;
      const isLast = topicPosition === null && orderingKey === null;
      if (isLast && isPlain) return true;
      const report = {
        kept: true,
        refused,
        ...(unqueued.length > 0 && { unqueued }),
      };
      if (isLast || removed === undefined) return report;
      const [messageSeq, topicSeq] = rangeKey;
      const ofTurn =
        topicPosition === null
          ? undefined
          : turns.advance(
              messageSeq,
              topicSeq,
              topicPosition,
              orderingKey,
              now,
            );
      const unclaimed =
        ofTurn ??
        (orderingKey === null
          ? undefined
          : ordered.freeNext(orderingKey, messageSeq, now));
      return unclaimed === undefined ? report : { ...report, unclaimed };
    },
    releaseRanges(rangeKeys: readonly RangeKey[]): void {
      for (const rangeKey of rangeKeys) release.run(...rangeKey);
    },
  };
}
