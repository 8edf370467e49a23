/** Fan-out in the in-memory store: chunks, and whom they are for. */

import type { Chunk, DeliveryStore } from "@carillon/core";
import { listActive } from "./directory.ts";
import { freed, type Holds } from "./holds.ts";
import { addChunk, getMessage, toChunk, toRecipient } from "./ledger.ts";
import { addOutcomes } from "./outcomes.ts";
import { type ChunkRow, chunkKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createChunkStore(
  tables: Tables,
  holds: Holds,
): Pick<
  DeliveryStore,
  | "claimChunks"
  | "readAudience"
  | "splitChunk"
  | "completeChunk"
  | "releaseChunk"
> {
  const { chunks, write } = tables;

  /** The chunk as it is kept, if nobody claimed it since. */
  function findHeld(chunk: Chunk): ChunkRow | undefined {
    const row = chunks.get(chunkKey(chunk));
    return row?.fence === chunk.fence ? row : undefined;
  }

  return {
    claimChunks: (lease, limit) =>
      write(() =>
        chunks
          .list()
          .filter((row) => row.hold === undefined)
          .sort(inOrder)
          .slice(0, limit)
          .map((row) => {
            const claimed = chunks.put(chunkKey(row), {
              ...row,
              fence: row.fence + 1,
              hold: holds.grant(lease),
            });
            const message = getMessage(tables, row.messageSeq);
            return { chunk: toChunk(claimed), message };
          }),
      ),
    async readAudience({ topicSeq, afterTarget, uptoTarget }, limit) {
      const upto = uptoTarget ?? Number.POSITIVE_INFINITY;
      const last = tables.deletedTopics.get(topicSeq);
      const audience = last
        ? last.targets.map((seq) => tables.subscriptions.get(seq))
        : listActive(tables, topicSeq);
      return audience
        .filter((it) => it !== undefined)
        .filter(({ seq }) => seq > afterTarget && seq <= upto)
        .slice(0, limit)
        .map(({ filterPolicies, ...subscription }) => ({
          ...toRecipient(subscription),
          ...(filterPolicies && { filterPolicies }),
          ...(last && { cancelled: true }),
        }));
    },
    splitChunk: (chunk, uptoTarget) =>
      write(() => {
        const row = findHeld(chunk);
        if (!row || uptoTarget <= row.afterTarget) return undefined;
        if (row.uptoTarget !== undefined && uptoTarget >= row.uptoTarget) {
          return undefined;
        }
        addChunk(tables, { ...toChunk(row), afterTarget: uptoTarget });
        const front = chunks.put(chunkKey(row), { ...row, uptoTarget });
        return { chunk: toChunk(front) };
      }),
    completeChunk: (chunk, outcomes) =>
      write(() => {
        if (!findHeld(chunk)) return { kept: false, refused: [] };
        chunks.delete(chunkKey(chunk));
        return { kept: true, refused: addOutcomes(tables, holds, outcomes) };
      }),
    releaseChunk: (chunk) =>
      write(() => {
        const row = findHeld(chunk);
        if (row) chunks.put(chunkKey(row), freed(row));
      }),
  };
}

function inOrder(a: Chunk, b: Chunk): number {
  return a.messageSeq - b.messageSeq || a.afterTarget - b.afterTarget;
}
