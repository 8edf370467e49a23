/** Leases of the in-memory store: renewed, or reclaimed when they lapse. */

import {
  type DeliveryStore,
  type EpochMs,
  nextState,
  type ReclaimedWork,
  type Store,
} from "@carillon/core";
import { freed, type Holds } from "./holds.ts";
import { deliveryKey, type Hold, rangeKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

export function createLeaseStore(
  tables: Tables,
  holds: Holds,
): Pick<
  DeliveryStore,
  "renewLeases" | "reclaimLapsed" | "peekWork" | "countBacklog"
> &
  Pick<Store, "reclaimAll"> {
  const { ranges, deliveries, write } = tables;
  return {
    renewLeases: (lease) =>
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
    reclaimLapsed: (now) =>
      write(() => reclaim(tables, now, (hold) => holds.hasEnded(hold))),
    reclaimAll: (now) => write(() => reclaim(tables, now, () => true)),
    async peekWork() {
      const dueAt = deliveries
        .list()
        .map((row) => row.nextAttemptAt)
        .filter((at) => at !== undefined);
      return {
        hasRanges: ranges.list().some(({ hold }) => !hold),
        nextDueAt: dueAt.sort((a, b) => a - b)[0],
      };
    },
    async countBacklog(limit) {
      const due = deliveries
        .list()
        .filter((row) => row.nextAttemptAt !== undefined)
        .sort((a, b) => (a.nextAttemptAt ?? 0) - (b.nextAttemptAt ?? 0))
        .slice(0, limit);
      const waiting = due.filter(({ state }) => state === "waiting").length;
      return {
        waiting,
        retrying: due.length - waiting,
        ranges: ranges
          .list()
          .filter(({ hold }) => !hold)
          .slice(0, limit).length,
      };
    },
  };
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
    if (row.billable) {
      // Its fence stays: nobody repeats it, and who made it may still tell.
      const { hold: _, ...rest } = row;
      const lost = { ...rest, state: nextState(row.state, "lose") };
      deliveries.put(deliveryKey(row), lost);
      countSettled(tables, lost, now);
      work.interrupted++;
    } else {
      const due = { ...freed(row), nextAttemptAt: now };
      deliveries.put(deliveryKey(row), due);
      work.freed++;
    }
  }
  return work;
}
