/** What is put into mailboxes of the in-memory store, as far as they take it. */

import { type EpochMs, reasonNotQueued } from "@carillon/core";
import { depthOf } from "./mailboxes.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

/**
 * Takes a delivery that was just written into its mailbox; answers why not, if so.
 * It is `failed` then, and on the dead-letter list if there is the mailbox.
 */
export function admitDelivery(
  tables: Tables,
  row: DeliveryRow,
  now: EpochMs,
): string | undefined {
  const { pull, ...rest } = row;
  if (!pull) return undefined;
  const mailbox = tables.mailboxes.get(pull.mailbox);
  // The delivery is in it already.
  const depth = depthOf(tables, pull.mailbox) - 1;
  const reason = reasonNotQueued(mailbox && { ...mailbox, depth });
  if (reason === undefined) return undefined;
  const failed = tables.deliveries.put(deliveryKey(row), {
    ...rest,
    ...(mailbox && { pull }),
    state: "failed",
    lastAttempt: {
      at: now,
      durationMs: 0,
      errorClass: "mailbox",
      error: reason,
    },
  });
  countSettled(tables, failed, now);
  return reason;
}
