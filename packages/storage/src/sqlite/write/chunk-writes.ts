/** Writes of fan-out: claiming, cutting and ending chunks. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";
import type { LeaseValues } from "./message-writes.ts";
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
   * Parameters: now, limit. Index: the primary key; the table is small, it has
   * only what is not fanned out yet.
   */
  const free = prepareQuery<ChunkRow>(
    db,
    `SELECT ${chunkColumns} FROM chunks WHERE lease_until <= ?
     ORDER BY message_seq, after_target LIMIT ?`,
  );
  /** Parameters: fence, owner, end of the lease, key. */
  const claim = db.prepare(
    `UPDATE chunks SET fence = ?, owner = ?, lease_until = ?
     WHERE message_seq = ? AND after_target = ?`,
  );
  /** Closes an open chunk. Parameters: end, key, fence, end. */
  const close = db.prepare(
    `UPDATE chunks SET upto_target = ?
     WHERE message_seq = ? AND after_target = ? AND fence = ?
       AND upto_target IS NULL AND after_target < ?`,
  );
  /** Parameters: message, start, fence, owner, end of the lease. */
  const insertOpen = db.prepare(
    `INSERT INTO chunks
       (message_seq, after_target, upto_target, fence, owner, lease_until)
     VALUES (?, ?, NULL, ?, ?, ?)`,
  );
  /** Parameters: key, fence. */
  const remove = db.prepare(
    `DELETE FROM chunks
     WHERE message_seq = ? AND after_target = ? AND fence = ?`,
  );
  const release = db.prepare(
    `UPDATE chunks SET owner = NULL, lease_until = 0
     WHERE message_seq = ? AND after_target = ? AND fence = ?`,
  );
  const extend = db.prepare(
    "UPDATE chunks SET lease_until = ? WHERE owner = ?",
  );
  const outcomes = createOutcomeWrites(db, rules);

  return {
    claimChunks(
      owner: string,
      until: number,
      now: number,
      limit: number,
    ): ChunkRow[] {
      return free.all(now, limit).map(([seq, after, upto, fence]) => {
        claim.run(fence + 1, owner, until, seq, after);
        return [seq, after, upto, fence + 1];
      });
    },
    /** Answers the fence of the rest; `undefined` when the lease was lost. */
    splitChunk(
      messageSeq: number,
      afterTarget: number,
      fence: number,
      uptoTarget: number,
      lease: LeaseValues,
    ): number | undefined {
      const { changes } = close.run(
        uptoTarget,
        messageSeq,
        afterTarget,
        fence,
        uptoTarget,
      );
      if (changes === 0) return undefined;
      // A start is cut only once, so that this number is nobody's old one.
      const restFence = lease ? 1 : 0;
      const [owner, until] = lease ?? [null, 0];
      insertOpen.run(messageSeq, uptoTarget, restFence, owner, until);
      return restFence;
    },
    completeChunk(
      messageSeq: number,
      afterTarget: number,
      fence: number,
      columns: OutcomeColumns,
    ): boolean {
      if (remove.run(messageSeq, afterTarget, fence).changes === 0) {
        return false;
      }
      outcomes.addAll(columns);
      return true;
    },
    releaseChunk(messageSeq: number, afterTarget: number, fence: number): void {
      release.run(messageSeq, afterTarget, fence);
    },
    extendLeases(owner: string, until: number): void {
      extend.run(until, owner);
    },
  };
}
