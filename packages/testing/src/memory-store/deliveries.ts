/** Deliveries of the in-memory store that wait, are claimed or reported on. */

import {
  cancelReasons,
  type DeliveryStore,
  decideClaim,
  type EpochMs,
  isSettled,
  nextState,
  type Recipient,
} from "@carillon/core";
import { freed, type Holds } from "./holds.ts";
import { getMessage, listDeliveries, toRecipient } from "./ledger.ts";
import { applyReceipt, isAbout, recordOutcomes } from "./outcomes.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import { countSettled } from "./statistics.ts";
import type { Tables } from "./tables.ts";

export function createDeliveryStore(
  tables: Tables,
  holds: Holds,
): Pick<DeliveryStore, "claimDue" | "recordOutcomes" | "recordReceipt"> {
  const { deliveries, earlyReceipts, write } = tables;
  let lastReceipt = 0;
  return {
    claimDue: (lease, now, limit) =>
      write(() => {
        const claimed = [];
        for (const row of listDue(tables, now)) {
          if (claimed.length === limit) break;
          const recipient = findRecipient(tables, row);
          const decision = decideClaim(claimFactsOf(tables, row));
          if (!recipient || decision !== "send") {
            const why = decision === "send" ? "unsubscribed" : decision;
            cancel(tables, row, cancelReasons[why], now);
            continue;
          }
          const { messageSeq, state, attempts, lastAttempt, expiresAt } = row;
          const { nextAttemptAt: _, ...rest } = row;
          const fence = row.fence + 1;
          const hold = holds.grant(lease);
          const sending = { ...rest, state: "sending" as const, fence, hold };
          deliveries.put(deliveryKey(row), sending);
          claimed.push({
            messageSeq,
            recipient,
            state,
            attempts,
            ...(lastAttempt && { lastAttempt }),
            ...(expiresAt !== undefined && { expiresAt }),
            fence,
          });
        }
        return claimed;
      }),
    recordOutcomes: (outcomes) =>
      write(() => recordOutcomes(tables, holds, outcomes)),
    recordReceipt: (receipt) =>
      write(() => {
        const key = ++lastReceipt;
        // Each is kept, so that one out of type is refused in either case.
        earlyReceipts.put(key, receipt);
        const row = deliveries
          .list()
          .findLast((delivery) => isAbout(receipt, delivery));
        if (!row) return;
        earlyReceipts.delete(key);
        const changed = applyReceipt(tables, row, receipt);
        if (!isSettled(row.state) && isSettled(changed.state)) {
          countSettled(tables, changed, receipt.at);
        }
      }),
  };
}

/**
 * A topic went away: nothing more of it is started. An attempt that is under
 * way cannot be taken back; its outcome is still written.
 */
export function cancelTopic(
  tables: Tables,
  topicSeq: number,
  at: EpochMs,
): void {
  for (const row of tables.deliveries.list()) {
    if (row.state !== "waiting" && row.state !== "retrying") continue;
    const { topic } = getMessage(tables, row.messageSeq);
    if (topic?.seq !== topicSeq) continue;
    cancel(tables, row, cancelReasons.topic_deleted, at);
  }
}

/** Longest due first. */
function listDue({ deliveries }: Tables, now: EpochMs): DeliveryRow[] {
  const dueAt = ({ nextAttemptAt }: DeliveryRow) =>
    nextAttemptAt ?? Number.POSITIVE_INFINITY;
  return deliveries
    .list()
    .filter((row) => dueAt(row) <= now)
    .sort((a, b) => dueAt(a) - dueAt(b));
}

export function findRecipient(
  { recipients, subscriptions }: Tables,
  row: DeliveryRow,
): Recipient | undefined {
  const { target } = row;
  const direct = recipients.get(deliveryKey(row));
  if (direct) return { target, ...direct };
  const subscription = subscriptions.get(target);
  return subscription && toRecipient(subscription);
}

/** What decides whether a delivery is still wanted. */
export function claimFactsOf(
  tables: Tables,
  { messageSeq, target, round = 1 }: DeliveryRow,
) {
  return {
    audience: getMessage(tables, messageSeq).audience,
    status: tables.subscriptions.get(target)?.status,
    isEscalationOver:
      round > 1 &&
      listDeliveries(tables, messageSeq).some(
        (it) => it.state === "delivered" && (it.round ?? round) < round,
      ),
  };
}

/** `reason`: told where no attempt was made that says more. */
function cancel(
  { deliveries }: Tables,
  row: DeliveryRow,
  reason: string | undefined,
  at: EpochMs,
): void {
  const { nextAttemptAt: _, ...rest } = freed(row);
  const lastAttempt = reason && { at, durationMs: 0, error: reason };
  deliveries.put(deliveryKey(row), {
    ...rest,
    state: nextState(row.state, "cancel"),
    ...(row.attempts === 0 && lastAttempt && { lastAttempt }),
  });
}
