/** Writes of fan-out: claiming, cutting and ending chunks. */

import type { DatabaseSync } from "node:sqlite";
import type { ChunkEnd } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import type { OutcomeColumns } from "./outcome-columns.ts";
import { createOutcomeWrites } from "./outcome-writes.ts";
import type { StateRules } from "./state-rules.ts";

export type ChunkRow = readonly [
  messageSeq: number,
  afterTarget: number,
  uptoTarget: number | null,
  fence: number,
];

const chunkColumns = "message_seq, after_target, upto_target, fence";

export function createChunkWrites(db: DatabaseSync, rules: StateRules) {
  /**
   * Chunks nobody holds, oldest message first.
   * Parameters: limit. Index: the primary key; before the first free chunk come
   * only those that engines are at work on.
   */
  const free = prepareQuery<ChunkRow>(
    db,
    `SELECT ${chunkColumns} FROM chunks WHERE owner IS NULL
     ORDER BY message_seq, after_target LIMIT ?`,
  );
  /** Parameters: fence, owner, end of the lease, key. */
  const claim = db.prepare(
    `UPDATE chunks SET fence = ?, owner = ?, lease_until = ?
     WHERE message_seq = ? AND after_target = ?`,
  );
  /**
   * The rest of a chunk that is held, as far as it has one behind the cut. A
   * start is cut only once: fence 0 is nobody's.
   * Parameters: cut, key, fence, cut, cut.
   */
  const insertRest = db.prepare(
    `INSERT INTO chunks (message_seq, after_target, upto_target, fence)
     SELECT message_seq, ?, upto_target, 0 FROM chunks
     WHERE message_seq = ? AND after_target = ? AND fence = ?
       AND after_target < ? AND (upto_target IS NULL OR upto_target > ?)`,
  );
  /** Parameters: cut, key. */
  const close = db.prepare(
    `UPDATE chunks SET upto_target = ?
     WHERE message_seq = ? AND after_target = ?`,
  );
  /** Parameters: key, fence. */
  const remove = db.prepare(
    `DELETE FROM chunks
     WHERE message_seq = ? AND after_target = ? AND fence = ?`,
  );
  /** Raises the fence: the engine that gave it back cannot end it. */
  const release = db.prepare(
    `UPDATE chunks SET owner = NULL, lease_until = NULL, fence = fence + 1
     WHERE message_seq = ? AND after_target = ? AND fence = ?`,
  );
  const outcomes = createOutcomeWrites(db, rules);

  return {
    claimChunks(owner: string, leaseUntil: number, limit: number): ChunkRow[] {
      return free.all(limit).map(([seq, after, upto, fence]) => {
        claim.run(fence + 1, owner, leaseUntil, seq, after);
        return [seq, after, upto, fence + 1];
      });
    },
    /** Answers false when the lease was lost or there is nothing to cut. */
    splitChunk(
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
    completeChunk(
      messageSeq: number,
      afterTarget: number,
      fence: number,
      columns: OutcomeColumns,
    ): ChunkEnd {
      if (remove.run(messageSeq, afterTarget, fence).changes === 0) {
        return { kept: false, refused: [] };
      }
      return { kept: true, refused: outcomes.addAll(columns) };
    },
    releaseChunk(messageSeq: number, afterTarget: number, fence: number): void {
      release.run(messageSeq, afterTarget, fence);
    },
  };
}
