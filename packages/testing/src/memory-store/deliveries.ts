/** Deliveries of the in-memory store that wait, are claimed or reported on. */

import {
  type AttemptIntent,
  addMs,
  type ClaimedDelivery,
  type ClaimRequest,
  cancelReasons,
  type DeliveryStore,
  decideClaim,
  type EpochMs,
  enoughReceipts,
  isNews,
  type Lease,
  type Receipt,
  type ReceiptSource,
  type Recipient,
  stateBeforeClaim,
  takeByUrgency,
  toRecipient,
  toTopic,
  urgencies,
} from "@carillon/core";
import { cancel, endIfCancelled } from "./cancellation.ts";
import { freed, type Holds } from "./holds.ts";
import { compareKeys, getMessage, listDeliveries } from "./ledger.ts";
import { applyReceipt, findPart } from "./outcomes.ts";
import { type DeliveryRow, deliveryKey, type Hold } from "./rows.ts";
import type { Tables } from "./tables.ts";

/** Within one write. */
export function claimDeliveries(
  tables: Tables,
  holds: Holds,
  lease: Lease,
  { limit, urgencies: asked = urgencies }: ClaimRequest,
) {
  const now = holds.now();
  const due = listDue(tables, now);

  /** Claims it, unless it is not wanted any more. */
  function take(row: DeliveryRow): ClaimedDelivery | undefined {
    const recipient = findRecipient(tables, row);
    const decision = decideClaim(claimFactsOf(tables, row));
    if (!recipient || decision !== "send") {
      if (stateBeforeClaim(row) === "sent") {
        // A carrier has it, and what it reports still counts.
        const { nextAttemptAt: _, ...rest } = row;
        tables.deliveries.putBack(deliveryKey(row), { ...rest, state: "sent" });
        return undefined;
      }
      const why = decision === "send" ? "unsubscribed" : decision;
      cancel(tables, row, cancelReasons[why], now);
      return undefined;
    }
    return claim(tables, row, recipient, holds.grant(lease));
  }

  const queues = new Map(
    asked.map((urgency) => [
      urgency,
      due.filter((row) => row.urgency === urgency).reverse(),
    ]),
  );
  const deliveries = takeByUrgency(limit, asked, (urgency, most) => {
    const queue = queues.get(urgency) ?? [];
    const taken: ClaimedDelivery[] = [];
    while (taken.length < most) {
      const row = queue.pop();
      if (row === undefined) break;
      const claimed = take(row);
      if (claimed) taken.push(claimed);
    }
    return taken;
  });
  return { deliveries, mayHaveMore: deliveries.length === limit };
}

/** Within one write. */
export function releaseDelivery(
  tables: Tables,
  claim: ClaimedDelivery,
  nextAttemptAt: EpochMs | undefined,
  now: EpochMs,
): void {
  const { deliveries } = tables;
  const { messageSeq, recipient, fence } = claim;
  const key = deliveryKey({ messageSeq, target: recipient.target });
  const row = deliveries.get(key);
  if (row?.fence !== fence || row.state !== "sending") return;
  const state = stateBeforeClaim(claim);
  const {
    attemptAt: _,
    attemptExternalId: _id,
    nextAttemptAt: _due,
    ...rest
  } = freed(row);
  const dueAt = nextAttemptAt ?? (state === "sent" ? undefined : now);
  const free = deliveries.putBack(key, {
    ...rest,
    state,
    ...(dueAt !== undefined && { nextAttemptAt: dueAt }),
  });
  endIfCancelled(tables, free, now);
}

/** Within one write; whether the claim still holds. */
export function recordIntent(
  { deliveries }: Tables,
  { fence, provider, at, externalId, ...key }: AttemptIntent,
): boolean {
  const row = deliveries.get(deliveryKey(key));
  if (row?.fence !== fence || !row.hold) return false;
  const { attemptExternalId: _, ...rest } = row;
  deliveries.put(deliveryKey(key), {
    ...rest,
    attemptAt: at,
    ...(externalId !== undefined && { attemptExternalId: externalId }),
    ...(provider !== undefined && { provider }),
  });
  return true;
}

/** Within one write; see {@link DeliveryStore.recordReceipt}. */
export type RecordReceipt = (
  receipt: Receipt,
  source: ReceiptSource,
) => EpochMs | undefined;

export function createReceiptRecorder(tables: Tables): RecordReceipt {
  const { deliveries, earlyReceipts } = tables;
  let lastReceipt = 0;

  /** Whether it is news, or pushed and few of its part, or id, are kept. */
  function isKept(
    row: DeliveryRow | undefined,
    part: number,
    { entry, externalId, event }: Receipt,
    source: ReceiptSource,
  ): boolean {
    if (source === "polled" && !row) return false;
    const kept = (row?.receipts ?? earlyReceipts.list()).filter(
      (it) => it.entry === entry && it.externalId === externalId,
    );
    const known = row?.parts[part];
    const isUnknown =
      row?.state === "unknown" && known?.attempt === row.attempts;
    const isNew = known
      ? isNews(known.state, event, isUnknown)
      : kept.every((it) => it.event !== event);
    return isNew || (source === "pushed" && kept.length < enoughReceipts);
  }

  return (receipt, source) => {
    const row = deliveries
      .list()
      .findLast((delivery) => findPart(delivery, receipt) >= 0);
    const part = row ? findPart(row, receipt) : -1;
    if (!isKept(row, part, receipt, source)) return undefined;
    const key = ++lastReceipt;
    // Each is kept, so that one out of type is refused in either case.
    earlyReceipts.put(key, receipt);
    if (!row) return undefined;
    earlyReceipts.delete(key);
    const changed = applyReceipt(tables, row, part, receipt);
    const isDue = changed.state === "retrying" && row.state !== "retrying";
    return isDue ? changed.nextAttemptAt : undefined;
  };
}

export function createReceiptStore(
  tables: Tables,
  holds: Holds,
  record: RecordReceipt,
): Pick<
  DeliveryStore,
  "recordReceipt" | "listDuePolls" | "claimPolls" | "schedulePolls"
> {
  const { deliveries, write } = tables;
  return {
    recordReceipt: (receipt, source = "pushed") =>
      write(() => record(receipt, source)),
    async listDuePolls() {
      const firsts = new Map<string, number>();
      for (const { provider, pollAt } of deliveries.list()) {
        if (provider === undefined || pollAt === undefined) continue;
        const first = firsts.get(provider) ?? Number.POSITIVE_INFINITY;
        firsts.set(provider, Math.min(first, pollAt));
      }
      const now = holds.now();
      return [...firsts].map(([entry, pollAt]) => ({
        entry,
        dueInMs: pollAt - now,
      }));
    },
    claimPolls: (entry, leaseMs, limit) =>
      write(() => {
        const now = holds.now();
        const due = deliveries
          .list()
          .filter(({ pollAt = Number.POSITIVE_INFINITY }) => pollAt <= now)
          .filter(({ provider }) => provider === entry)
          .sort((a, b) => (a.pollAt ?? 0) - (b.pollAt ?? 0))
          .slice(0, limit);
        const until = addMs(now, leaseMs);
        const polls = due.flatMap((row) => {
          const { pollAt, ...rest } = row;
          const mayBeAsked = isAsked(row) || row.state === "sending";
          deliveries.put(
            deliveryKey(row),
            mayBeAsked ? { ...rest, pollAt: until } : rest,
          );
          if (!isAsked(row)) return [];
          const { messageSeq, target, attempts, lastAttempt } = row;
          const parts = row.parts.filter((it) => it.attempt === attempts);
          const sentAt = lastAttempt
            ? addMs(lastAttempt.at, lastAttempt.durationMs)
            : (pollAt ?? now);
          return [{ messageSeq, target, attempts, sentAt, parts }];
        });
        return { polls, mayHaveMore: due.length === limit };
      }),
    schedulePolls: (polls) =>
      write(() => {
        for (const { messageSeq, target, attempts, pollAt } of polls) {
          const key = deliveryKey({ messageSeq, target });
          const row = deliveries.get(key);
          if (!row || !isAsked(row) || row.attempts !== attempts) continue;
          const { pollAt: _, ...rest } = row;
          deliveries.put(key, { ...rest, ...(pollAt && { pollAt }) });
        }
      }),
  };
}

/** Whether a carrier has it, or may have. */
function isAsked({ state }: DeliveryRow): boolean {
  return state === "sent" || state === "unknown";
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
    // It is cancelled with its subscription.
    if (row.pull) continue;
    if (topicOf(tables, row)?.seq !== topicSeq) continue;
    cancel(tables, row, cancelReasons.topic_deleted, at);
  }
}

/** The topic that a delivery belongs to. */
export function topicOf(
  tables: Tables,
  { messageSeq, target }: Pick<DeliveryRow, "messageSeq" | "target">,
) {
  const message = getMessage(tables, messageSeq);
  const subscription = tables.subscriptions.get(target);
  return toTopic(message, subscription?.topicSeq).topic;
}

/** Longest due first, of several the oldest. */
function listDue({ deliveries }: Tables, now: EpochMs): DeliveryRow[] {
  const dueAt = ({ nextAttemptAt }: DeliveryRow) =>
    nextAttemptAt ?? Number.POSITIVE_INFINITY;
  return deliveries
    .list()
    .filter((row) => dueAt(row) <= now)
    .sort((a, b) => dueAt(a) - dueAt(b) || compareKeys(a, b));
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
export function claimFactsOf(tables: Tables, row: DeliveryRow) {
  const { messageSeq, target, round = 1 } = row;
  const topicSeq = topicOf(tables, row)?.seq;
  return {
    audience: getMessage(tables, messageSeq).audience,
    status: tables.subscriptions.get(target)?.status,
    isMessageCancelled: tables.cancelledMessages.has(messageSeq),
    isEscalationOver:
      round > 1 &&
      listDeliveries(tables, messageSeq).some(
        (it) =>
          it.state === "delivered" &&
          (it.round ?? round) < round &&
          topicOf(tables, it)?.seq === topicSeq,
      ),
  };
}

/** Marks a delivery as being sent, and answers what its claim hands over. */
export function claim(
  tables: Tables,
  row: DeliveryRow,
  recipient: Recipient,
  hold: Hold,
): ClaimedDelivery {
  const { messageSeq, state, attempts, lastAttempt, earlierAttempts } = row;
  const { expiresAt, resentAfter } = row;
  const { nextAttemptAt: _, waitReason: _over, ...rest } = row;
  const fence = row.fence + 1;
  const claimed = { ...rest, state: "sending", fence, hold } as const;
  tables.deliveries.put(deliveryKey(row), claimed);
  const isOfSeveral = getMessage(tables, messageSeq).audience === "topics";
  const topic = isOfSeveral ? topicOf(tables, row) : undefined;
  return {
    messageSeq,
    recipient,
    ...(topic && { topicSeq: topic.seq }),
    state,
    attempts,
    ...(lastAttempt && { lastAttempt }),
    ...(attempts > 1 &&
      lastAttempt?.provider !== undefined && { earlierAttempts }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(resentAfter !== undefined && { resentAfter }),
    fence,
  };
}
