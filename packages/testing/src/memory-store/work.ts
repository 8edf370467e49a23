/** Work of the in-memory store: claimed, renewed, finished, reclaimed. */

import {
  addMs,
  type EpochMs,
  lostAttempt,
  nextState,
  type ReclaimedWork,
  type Store,
  toEpochMs,
  unknownPollDelayMs,
  urgentOnly,
  type WorkStore,
} from "@carillon/core";
import {
  claimDeliveries,
  recordIntent,
  releaseDelivery,
} from "./deliveries.ts";
import { freed, type Holds } from "./holds.ts";
import { compareKeys, getMessage } from "./ledger.ts";
import { shortenLeases } from "./message-queue.ts";
import { joinReceipts, recordOutcomes, unfinished } from "./outcomes.ts";
import {
  claimRanges,
  finishRange,
  isHeldUp,
  readAudience,
  releaseRange,
} from "./ranges.ts";
import { deliveryKey, type Hold, rangeKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

export function createWorkStore(
  tables: Tables,
  holds: Holds,
): WorkStore & Pick<Store, "reclaimAll"> {
  const { ranges, deliveries, write } = tables;
  return {
    claim: (lease, request) =>
      write(() => {
        const { kinds } = request;
        const ofRanges = kinds.includes("range")
          ? claimRanges(tables, holds, lease, request)
          : undefined;
        const ofDeliveries = kinds.includes("delivery")
          ? claimDeliveries(tables, holds, lease, request)
          : undefined;
        return {
          ranges: ofRanges?.ranges ?? [],
          deliveries: ofDeliveries?.deliveries ?? [],
          mayHaveMore:
            ofRanges?.mayHaveMore === true ||
            ofDeliveries?.mayHaveMore === true,
        };
      }),
    readAudience: async (range, limit) => readAudience(tables, range, limit),
    renew: (lease) =>
      write(() => {
        const hold = holds.grant(lease);
        const isOwn = (row: { hold?: Hold }) => row.hold?.owner === hold.owner;
        for (const row of ranges.list().filter(isOwn)) {
          ranges.put(rangeKey(row), { ...row, hold });
        }
        for (const row of deliveries.list().filter(isOwn)) {
          deliveries.put(deliveryKey(row), { ...row, hold });
        }
      }),
    recordIntents: (intents) =>
      write(() => intents.map((intent) => recordIntent(tables, intent))),
    finish: (work) =>
      write(() => {
        if ("range" in work) return finishRange(tables, holds, work);
        const refused = recordOutcomes(tables, holds, work.deliveries);
        return { kept: true, refused };
      }),
    release: (work, { delayMs = 0 } = {}) =>
      write(() => {
        const now = holds.now();
        const nextAttemptAt =
          delayMs === Number.POSITIVE_INFINITY
            ? undefined
            : toEpochMs(Math.ceil(now + delayMs));
        for (const it of work) {
          if ("range" in it) releaseRange(tables, it.range);
          else releaseDelivery(tables, it.delivery, nextAttemptAt, now);
        }
      }),
    reclaim: () =>
      write(() => reclaim(tables, holds.now(), (hold) => holds.hasEnded(hold))),
    reclaimAll: () =>
      write(() => {
        const now = holds.now();
        const work = reclaim(tables, now, () => true);
        shortenLeases(tables, now);
        // Accepted, or cut off, when the clock was ahead of what it says now.
        for (const row of ranges.list()) {
          const { notBefore } = getMessage(tables, row.messageSeq);
          const dueAt =
            notBefore !== undefined && notBefore > now ? notBefore : now;
          if (row.dueAt > dueAt) ranges.put(rangeKey(row), { ...row, dueAt });
        }
        return work;
      }),
    makeDue: (reason, limit) =>
      write(() => {
        const now = holds.now();
        const waiting = deliveries
          .list()
          .filter((it) => it.waitReason === reason && it.nextAttemptAt)
          .sort((a, b) => a.urgency - b.urgency || compareKeys(a, b))
          .slice(0, limit);
        for (const row of waiting) {
          const { waitReason: _, ...rest } = row;
          deliveries.put(deliveryKey(row), { ...rest, nextAttemptAt: now });
        }
        return waiting.map(({ messageSeq, target, attempts }) => ({
          messageSeq,
          target,
          attempts,
        }));
      }),
    readReleased: async (released) =>
      released.flatMap((it) => {
        const row = deliveries.get(deliveryKey(it));
        if (!row) return [];
        const { messageSeq, target, state, attempts } = row;
        const { id: messageId } = getMessage(tables, messageSeq);
        return [{ messageSeq, target, messageId, state, attempts }];
      }),
    async nextDue() {
      const now = holds.now();
      const free = ranges
        .list()
        .filter(({ hold }) => !hold)
        .filter(({ messageSeq }) => !isHeldUp(tables, messageSeq, now));
      const range = firstOf(free.map(({ dueAt }) => dueAt));
      const delivery = firstOf(
        deliveries.list().map(({ nextAttemptAt }) => nextAttemptAt),
      );
      const urgent = firstOf(
        deliveries
          .list()
          .filter(({ urgency }) => urgentOnly.some((it) => it === urgency))
          .map(({ nextAttemptAt }) => nextAttemptAt),
      );
      return {
        ...(range !== undefined && { range: range - now }),
        ...(delivery !== undefined && { delivery: delivery - now }),
        ...(urgent !== undefined && { urgentDelivery: urgent - now }),
      };
    },
    async countBacklog(limit) {
      const due = deliveries
        .list()
        .filter((row) => row.nextAttemptAt !== undefined)
        .sort(
          (a, b) =>
            a.urgency - b.urgency ||
            (a.nextAttemptAt ?? 0) - (b.nextAttemptAt ?? 0),
        )
        .slice(0, limit);
      const waiting = due.filter(({ state }) => state === "waiting").length;
      return {
        waiting,
        retrying: due.filter(({ state }) => state !== "sent").length - waiting,
        ranges: ranges
          .list()
          .filter(({ hold }) => !hold)
          .slice(0, limit).length,
      };
    },
  };
}

function firstOf(
  instants: readonly (EpochMs | undefined)[],
): EpochMs | undefined {
  return instants
    .filter((at) => at !== undefined)
    .reduce<EpochMs | undefined>(
      (first, at) => (first === undefined || at < first ? at : first),
      undefined,
    );
}

function reclaim(
  tables: Tables,
  now: EpochMs,
  isOver: (hold: Hold) => boolean,
): ReclaimedWork {
  const { ranges, deliveries } = tables;
  const isLost = ({ hold }: { hold?: Hold }) => hold && isOver(hold);
  const work = { freed: 0, interrupted: 0 };
  for (const [name, row] of tables.changeConsumers.entries()) {
    if (!isLost(row)) continue;
    tables.changeConsumers.put(name, { position: row.position });
  }
  for (const row of ranges.list().filter(isLost)) {
    ranges.put(rangeKey(row), freed(row));
    work.freed++;
  }
  for (const row of deliveries.list().filter(isLost)) {
    if (row.billable && row.attemptAt !== undefined) {
      // Its fence stays: nobody repeats it, and who made it may still tell.
      const { hold: _, nextAttemptAt: _due, ...rest } = unfinished(row);
      const { lastAttempt, attempts, earlierAttempts, provider } = row;
      const { attemptAt, attemptExternalId: externalId } = row;
      const isKnown = provider !== undefined && externalId !== undefined;
      const hadOne = lastAttempt !== undefined && attempts > 0;
      const lost = {
        ...rest,
        state: nextState(row.state, "lose"),
        attempts: attempts + 1,
        lastAttempt: lostAttempt(provider, attemptAt),
        earlierAttempts: hadOne
          ? [...earlierAttempts, lastAttempt]
          : earlierAttempts,
        ...(isKnown && {
          parts: [
            ...row.parts,
            {
              attempt: attempts + 1,
              entry: provider,
              externalId,
              state: "sent" as const,
            },
          ],
          receiptExpected: true as const,
          pollAt: addMs(now, unknownPollDelayMs),
        }),
      };
      const kept = deliveries.put(deliveryKey(row), lost);
      countSettled(tables, lost, now);
      if (isKnown) joinReceipts(tables, kept, 1);
      work.interrupted++;
    } else {
      const due = { ...freed(row), nextAttemptAt: now };
      deliveries.put(deliveryKey(row), due);
      work.freed++;
    }
  }
  return work;
}
