/** A topic's newest message, for who subscribes to it after its fan-out. */

import {
  defaultUrgency,
  type EpochMs,
  expiresAtOf,
  type Message,
  type MessageLives,
  type Subscription,
  startOf,
} from "@carillon/core";
import { admitDelivery } from "./mailbox-admission.ts";
import { deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

/** Puts it into the subscription's mailbox, as its fan-out would have done. */
export function addLatest(
  tables: Tables,
  { seq: target, topicSeq, mailbox, protocol }: Subscription,
  lives: MessageLives,
  now: EpochMs,
): void {
  const message = findLatest(tables, topicSeq, now);
  if (!message || mailbox === undefined) return;
  const expiresAt = expiresAtOf(message, protocol, lives);
  if (expiresAt <= now) return;
  const { seq: messageSeq, orderingKey } = message;
  // Through another of the message's topics it was reached already.
  const isThere = tables.subscriptions
    .list()
    .filter((it) => it.mailbox === mailbox)
    .some(({ seq }) =>
      tables.deliveries.has(deliveryKey({ messageSeq, target: seq })),
    );
  if (isThere) return;
  const row = tables.deliveries.put(deliveryKey({ messageSeq, target }), {
    messageSeq,
    target,
    state: "waiting",
    attempts: 0,
    billable: false,
    urgency: defaultUrgency,
    pull: {
      mailbox,
      expiresAt,
      ...(orderingKey !== undefined && { orderingKey }),
    },
    fence: 0,
    earlierAttempts: [],
    parts: [],
    receipts: [],
    actions: [],
  });
  admitDelivery(tables, row, now);
}

/** The newest one that was published to the topic and may go out by now. */
function findLatest(
  { messages, cancelledMessages }: Tables,
  topicSeq: number,
  now: EpochMs,
): Message | undefined {
  return messages
    .list()
    .filter(({ seq }) => !cancelledMessages.has(seq))
    .filter(({ audience, topic, topics = [] }) =>
      audience === "topic"
        ? topic?.seq === topicSeq
        : topics.some(({ seq }) => seq === topicSeq),
    )
    .filter(({ content: { kind } }) => publishedKinds.includes(kind))
    .findLast((message) => startOf(message) <= now);
}

const publishedKinds: readonly Message["content"]["kind"][] = [
  "text",
  "structure",
  "mail",
];
