/** Fan-out in the in-memory store: ranges, and whom they are for. */

import type { AudienceRange, DeliveryStore } from "@carillon/core";
import { listActive } from "./directory.ts";
import { freed, type Holds } from "./holds.ts";
import { addRange, getMessage, toRange, toRecipient } from "./ledger.ts";
import { addOutcomes } from "./outcomes.ts";
import { type RangeRow, rangeKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createRangeStore(
  tables: Tables,
  holds: Holds,
): Pick<
  DeliveryStore,
  | "claimRanges"
  | "readAudience"
  | "splitRange"
  | "completeRange"
  | "releaseRange"
> {
  const { ranges, write } = tables;

  /** The range as it is kept, if nobody claimed it since. */
  function findHeld(range: AudienceRange): RangeRow | undefined {
    const row = ranges.get(rangeKey(range));
    return row?.fence === range.fence ? row : undefined;
  }

  return {
    claimRanges: (lease, limit) =>
      write(() =>
        ranges
          .list()
          .filter((row) => row.hold === undefined)
          .sort(inOrder)
          .slice(0, limit)
          .map((row) => {
            const claimed = ranges.put(rangeKey(row), {
              ...row,
              fence: row.fence + 1,
              hold: holds.grant(lease),
            });
            const message = getMessage(tables, row.messageSeq);
            return { range: toRange(claimed), message };
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
    splitRange: (range, uptoTarget) =>
      write(() => {
        const row = findHeld(range);
        if (!row || uptoTarget <= row.afterTarget) return undefined;
        if (row.uptoTarget !== undefined && uptoTarget >= row.uptoTarget) {
          return undefined;
        }
        addRange(tables, { ...toRange(row), afterTarget: uptoTarget });
        const front = ranges.put(rangeKey(row), { ...row, uptoTarget });
        return { range: toRange(front) };
      }),
    completeRange: (range, outcomes) =>
      write(() => {
        if (!findHeld(range)) return { kept: false, refused: [] };
        ranges.delete(rangeKey(range));
        return { kept: true, refused: addOutcomes(tables, holds, outcomes) };
      }),
    releaseRange: (range) =>
      write(() => {
        const row = findHeld(range);
        if (row) ranges.put(rangeKey(row), freed(row));
      }),
  };
}

function inOrder(a: AudienceRange, b: AudienceRange): number {
  return a.messageSeq - b.messageSeq || a.afterTarget - b.afterTarget;
}
