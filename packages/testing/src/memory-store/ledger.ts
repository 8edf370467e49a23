/** The ledger of the in-memory store: messages, ranges and deliveries. */

import type {
  AudienceRange,
  EpochMs,
  Message,
  NewMessage,
} from "@carillon/core";
import {
  type DeliveryRow,
  deliveryKey,
  type Hold,
  type RangeRow,
  rangeKey,
} from "./rows.ts";
import type { Tables } from "./tables.ts";

/** Keeps a message and answers its number. */
export function addMessage({ messages }: Tables, message: NewMessage): number {
  const seq = messages.size + 1;
  messages.put(seq, { ...message, seq });
  return seq;
}

export function getMessage({ messages }: Tables, seq: number): Message {
  const message = messages.get(seq);
  if (!message) throw new Error(`There is no message ${seq}.`);
  return message;
}

/** The latest creation of all messages up to this one, of whatever project. */
export function newestAt({ messages }: Tables, seq: number): number {
  return messages
    .list()
    .reduce((at, it) => (it.seq <= seq ? Math.max(at, it.createdAt) : at), 0);
}

/** Adds a delivery that waits for its first attempt. */
export function addDueDelivery(
  { deliveries }: Tables,
  messageSeq: number,
  target: number,
  nextAttemptAt: EpochMs,
  billable: boolean,
  waits: Pick<DeliveryRow, "urgency" | "waitReason">,
): DeliveryRow {
  return deliveries.put(deliveryKey({ messageSeq, target }), {
    messageSeq,
    target,
    state: "waiting",
    attempts: 0,
    nextAttemptAt,
    billable,
    ...waits,
    fence: 0,
    earlierAttempts: [],
    parts: [],
    receipts: [],
    actions: [],
  });
}

/** Oldest message first. */
export function compareKeys(a: DeliveryRow, b: DeliveryRow): number {
  return a.messageSeq - b.messageSeq || a.target - b.target;
}

export function listDeliveries(
  { deliveries }: Tables,
  messageSeq: number,
): DeliveryRow[] {
  return deliveries.list().filter((row) => row.messageSeq === messageSeq);
}

/** Adds a range; without a hold any engine may claim it. */
export function addRange(
  { ranges }: Tables,
  row: Omit<RangeRow, "fence" | "hold">,
  hold?: Hold,
): RangeRow {
  const { messageSeq, topicSeq, topicPosition } = row;
  const { afterTarget, uptoTarget, dueAt } = row;
  return ranges.put(rangeKey(row), {
    messageSeq,
    topicSeq,
    ...(topicPosition !== undefined && { topicPosition }),
    afterTarget,
    uptoTarget,
    dueAt,
    fence: hold ? 1 : 0,
    ...(hold && { hold }),
  });
}

export function toRange(row: RangeRow): AudienceRange {
  const { messageSeq, topicSeq, topicPosition } = row;
  const { afterTarget, uptoTarget, fence } = row;
  return {
    messageSeq,
    topicSeq,
    ...(topicPosition !== undefined && { topicPosition }),
    afterTarget,
    uptoTarget,
    fence,
  };
}
