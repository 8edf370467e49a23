/** What is put into mailboxes of the in-memory store, as far as they take it. */

import { type EpochMs, reasonNotQueued } from "@carillon/core";
import { depthOf } from "./mailboxes.ts";
import { endOverdue } from "./overdue-messages.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

/**
 * Why a mailbox takes no further message; if it is full, what is overdue there is
 * ended first.
 *
 * @param own a delivery that is in it already, and asks to be
 */
export function whyNotQueued(
  tables: Tables,
  seq: number,
  now: EpochMs,
  own?: DeliveryRow,
): string | undefined {
  const look = () => {
    const mailbox = tables.mailboxes.get(seq);
    const depth = depthOf(tables, seq) - (own ? 1 : 0);
    return reasonNotQueued(mailbox && { ...mailbox, depth });
  };
  const reason = look();
  if (reason === undefined) return undefined;
  const freed = endOverdue(
    tables,
    now,
    Number.POSITIVE_INFINITY,
    (row) =>
      row.pull?.mailbox === seq &&
      (!own || deliveryKey(row) !== deliveryKey(own)),
  );
  return freed > 0 ? look() : reason;
}

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
  const reason = whyNotQueued(tables, pull.mailbox, now, row);
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
