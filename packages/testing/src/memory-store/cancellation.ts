/** Deliveries of the in-memory store that nobody wants any more. */

import { cancelReasons, type EpochMs, nextState } from "@carillon/core";
import { freed } from "./holds.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";
import { handOver } from "./topic-turns.ts";

/** `reason`: told where no attempt was made that says more. */
export function cancel(
  tables: Tables,
  row: DeliveryRow,
  reason: string | undefined,
  at: EpochMs,
): void {
  const { nextAttemptAt: _, pull: _settled, ...rest } = freed(row);
  const lastAttempt = reason && { at, durationMs: 0, error: reason };
  const cancelled = tables.deliveries.put(deliveryKey(row), {
    ...rest,
    state: nextState(row.state, "cancel"),
    ...(row.attempts === 0 && lastAttempt && { lastAttempt }),
  });
  countSettled(tables, cancelled, at);
  handOver(tables, row.messageSeq, row.target, at);
}

/**
 * Cancels a delivery that waits, or is to be tried again, if its message was
 * cancelled; answers whether it did.
 */
export function endIfCancelled(
  tables: Tables,
  row: DeliveryRow,
  at: EpochMs,
): boolean {
  const isOpen = row.state === "waiting" || row.state === "retrying";
  if (!isOpen || !tables.cancelledMessages.has(row.messageSeq)) return false;
  cancel(tables, row, cancelReasons.message_cancelled, at);
  return true;
}
