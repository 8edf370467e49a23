/** Fan-out in the in-memory store: ranges, and whom they are for. */

import {
  type AudienceRange,
  type ClaimRequest,
  type EpochMs,
  type FinishedRange,
  type FinishReport,
  type Lease,
  type Recipient,
  type Subscription,
  toRecipient,
} from "@carillon/core";
import { listActive } from "./directory.ts";
import { freed, type Holds } from "./holds.ts";
import { addRange, getMessage, toRange } from "./ledger.ts";
import { addOutcomes } from "./outcomes.ts";
import { type RangeRow, rangeKey } from "./rows.ts";
import type { Tables } from "./tables.ts";
import { advanceTurn, listOthers } from "./topic-turns.ts";

/** Within one write. */
export function claimRanges(
  tables: Tables,
  holds: Holds,
  lease: Lease,
  {
    limit,
    rangeSize = Number.POSITIVE_INFINITY,
    maxCutRanges = limit,
  }: ClaimRequest,
) {
  const { ranges } = tables;
  const free = ranges
    .list()
    .filter((row) => row.hold === undefined && row.dueAt <= holds.now())
    .filter((row) => !isHeldUp(tables, row.messageSeq, holds.now()))
    .sort((a, b) => a.dueAt - b.dueAt || a.messageSeq - b.messageSeq)
    .slice(0, limit);
  const claimed: RangeRow[] = [];
  let cuts = 0;
  for (const row of free) {
    const end = findCut(tables, row, rangeSize);
    if (end !== undefined && cuts === maxCutRanges) continue;
    if (end !== undefined) {
      cuts++;
      addRange(tables, { ...row, afterTarget: end, dueAt: holds.now() });
    }
    claimed.push(
      ranges.put(rangeKey(row), {
        ...row,
        uptoTarget: end ?? row.uptoTarget,
        fence: row.fence + 1,
        hold: holds.grant(lease),
      }),
    );
  }
  return {
    ranges: claimed.map((row) => ({
      range: toRange(row),
      message: getMessage(tables, row.messageSeq),
      ...(tables.cancelledMessages.has(row.messageSeq) && {
        isCancelled: true as const,
      }),
    })),
    mayHaveMore:
      free.length === limit || cuts > 0 || claimed.length < free.length,
  };
}

/** Within one write. */
export function finishRange(
  tables: Tables,
  holds: Holds,
  { range, outcomes, uptoTarget }: FinishedRange,
): FinishReport {
  const row = findHeld(tables, range);
  const hasRest =
    row && (uptoTarget === undefined || isWithin(row, uptoTarget));
  if (!hasRest) return { kept: false, refused: [] };
  tables.ranges.delete(rangeKey(row));
  if (uptoTarget !== undefined) {
    const { hold: _, ...rest } = row;
    const moved = { ...rest, afterTarget: uptoTarget, dueAt: holds.now() };
    tables.ranges.put(rangeKey(moved), { ...moved, fence: row.fence + 1 });
  }
  const report = addOutcomes(tables, holds, outcomes);
  const unclaimed =
    uptoTarget === undefined
      ? (advanceTurn(tables, row, holds.now()) ??
        countNext(tables, row.messageSeq, holds.now()))
      : undefined;
  return {
    kept: true,
    ...report,
    ...(unclaimed !== undefined && { unclaimed }),
  };
}

/**
 * Whether an earlier message of its ordering key is not fanned out; one that is
 * not due yet does not count.
 */
export function isHeldUp(
  tables: Tables,
  messageSeq: number,
  now: EpochMs,
): boolean {
  return tables.ranges
    .list()
    .filter((row) => row.messageSeq < messageSeq && row.dueAt <= now)
    .some((row) => haveSameKey(tables, row.messageSeq, messageSeq));
}

/**
 * How many recipients the next message of an ordering key has that may be fanned
 * out once this one is.
 */
function countNext(
  tables: Tables,
  messageSeq: number,
  now: EpochMs,
): number | undefined {
  const ofKey = tables.ranges
    .list()
    .filter((row) => haveSameKey(tables, row.messageSeq, messageSeq))
    .sort((a, b) => a.messageSeq - b.messageSeq);
  if (ofKey.some((row) => row.messageSeq === messageSeq)) return undefined;
  const next = ofKey.find(({ hold, dueAt }) => !hold && dueAt <= now);
  if (!next) return undefined;
  return Math.max(1, listActive(tables, next.topicSeq).length);
}

function haveSameKey(tables: Tables, one: number, other: number): boolean {
  const [a, b] = [getMessage(tables, one), getMessage(tables, other)];
  return (
    a.orderingKey !== undefined &&
    a.orderingKey === b.orderingKey &&
    a.projectId === b.projectId
  );
}

/** Within one write. */
export function releaseRange(tables: Tables, range: AudienceRange): void {
  const row = findHeld(tables, range);
  if (row) tables.ranges.put(rangeKey(row), freed(row));
}

export function readAudience(
  tables: Tables,
  range: AudienceRange,
  limit: number,
) {
  const isCancelled = tables.deletedTopics.get(range.topicSeq) !== undefined;
  return listAudience(tables, range)
    .slice(0, limit)
    .map(({ filterPolicies, ...subscription }) => ({
      ...toRecipient(subscription),
      ...(filterPolicies && { filterPolicies }),
      ...(isCancelled && { cancelled: true as const }),
      ...othersOf(tables, range, subscription),
    }));
}

function othersOf(
  tables: Tables,
  range: AudienceRange,
  own: Pick<Subscription, "seq" | "protocol" | "endpoint">,
): Pick<Recipient, "others"> {
  if (range.topicPosition === undefined) return {};
  const others = listOthers(tables, range, own);
  return others.length > 0 ? { others } : {};
}

/** The last recipient of a range of this size, if there are others behind it. */
export function findCut(
  tables: Tables,
  range: Omit<AudienceRange, "messageSeq" | "fence">,
  size: number,
): number | undefined {
  const audience = listAudience(tables, range);
  return audience.length > size ? audience[size - 1]?.seq : undefined;
}

function listAudience(
  tables: Tables,
  {
    topicSeq,
    afterTarget,
    uptoTarget = Number.POSITIVE_INFINITY,
  }: Omit<AudienceRange, "messageSeq" | "fence">,
): Subscription[] {
  const last = tables.deletedTopics.get(topicSeq);
  const audience = last
    ? last.targets.map((seq) => tables.subscriptions.get(seq))
    : listActive(tables, topicSeq);
  return audience
    .filter((it) => it !== undefined)
    .filter(({ seq }) => seq > afterTarget && seq <= uptoTarget);
}

/** The range as it is kept, if nobody claimed it since. */
function findHeld(tables: Tables, range: AudienceRange): RangeRow | undefined {
  const row = tables.ranges.get(rangeKey(range));
  return row?.fence === range.fence ? row : undefined;
}

function isWithin(row: AudienceRange, target: number): boolean {
  const { afterTarget, uptoTarget = Number.POSITIVE_INFINITY } = row;
  return target > afterTarget && target < uptoTarget;
}
