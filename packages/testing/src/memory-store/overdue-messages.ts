/** Messages of the in-memory store that nobody fetched in time. */

import { type EpochMs, nextState, unfetchedError } from "@carillon/core";
import { endIfCancelled } from "./cancellation.ts";
import { topicOf } from "./deliveries.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

/** Ends the first `limit` of those that are meant, and overdue; answers how many. */
export function endOverdue(
  tables: Tables,
  now: EpochMs,
  limit: number,
  isMeant: (row: DeliveryRow) => boolean = () => true,
): number {
  const overdue = tables.deliveries
    .list()
    .filter(({ state, pull }) => state === "waiting" && pull !== undefined)
    .filter(({ pull }) => pull && pull.expiresAt <= now)
    .filter(isMeant)
    .slice(0, limit);
  for (const row of overdue) {
    if (endIfCancelled(tables, row, now)) continue;
    const { pull: _, ...rest } = row;
    const expired = tables.deliveries.put(deliveryKey(row), {
      ...rest,
      state: nextState(row.state, "expire"),
      lastAttempt: {
        at: now,
        durationMs: 0,
        errorClass: "expired",
        error: unfetchedError,
      },
    });
    settle(tables, expired, now);
  }
  return overdue.length;
}

/** A message that was in a mailbox came to its end. */
export function settle(tables: Tables, row: DeliveryRow, now: EpochMs): void {
  const { messageSeq, target, state } = row;
  countSettled(tables, row, now);
  if (state !== "delivered" && state !== "failed" && state !== "expired") {
    throw new Error(`No message in a mailbox ends ${state}.`);
  }
  const topicSeq = topicOf(tables, row)?.seq ?? 0;
  tables.queueOutcomes.settled({ messageSeq, target, topicSeq, state });
}
