/** Accepted messages of the in-memory store, and what is told of them. */

import {
  type AudienceRange,
  type Delivery,
  type DeliveryState,
  type DeliveryStore,
  formatSubscriptionUrn,
  type Message,
  type MessageReader,
  type MessageReport,
  type NewMessage,
} from "@carillon/core";
import { listActive } from "./directory.ts";
import type { Holds } from "./holds.ts";
import {
  addDueDelivery,
  addMessage,
  addRange,
  getMessage,
  listDeliveries,
  toRange,
} from "./ledger.ts";
import { type DeliveryRow, deliveryKey, type Hold } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createMessageStore(
  tables: Tables,
  holds: Holds,
): MessageReader &
  Pick<
    DeliveryStore,
    "acceptMessage" | "acceptDirectMessage" | "findMessageBySeq"
  > {
  const { messages, deliveries, write } = tables;
  return {
    acceptMessage: (message, lease) =>
      write(() => acceptMessage(tables, message, lease && holds.grant(lease))),
    acceptDirectMessage: (message, recipients, billable) =>
      write(() => {
        const seq = addMessage(tables, message);
        for (const [target, recipient] of recipients.entries()) {
          tables.recipients.put(
            deliveryKey({ messageSeq: seq, target }),
            recipient,
          );
          addDueDelivery(tables, seq, target, message.createdAt, billable);
        }
        return { seq };
      }),
    async findMessageBySeq(seq) {
      return messages.get(seq);
    },
    async findMessage(projectId, id) {
      const message = messages
        .list()
        .find((it) => it.projectId === projectId && it.id === id);
      return message && toReport(tables, message);
    },
    async listMessages(projectId, { topicSeq, state, since }, page) {
      const { limit, before = Number.POSITIVE_INFINITY, maxScanned } = page;
      const all = messages
        .list()
        .filter((it) => it.projectId === projectId && it.seq < before)
        .reverse();
      const hasFilter =
        topicSeq !== undefined || state !== undefined || since !== undefined;
      const scanned = all.slice(0, hasFilter ? maxScanned : undefined);
      const found = scanned
        .filter((it) => topicSeq === undefined || it.topic?.seq === topicSeq)
        .filter((it) => since === undefined || it.createdAt >= since)
        .map((message) => toReport(tables, message))
        .filter(
          ({ counts }) => state === undefined || (counts[state] ?? 0) > 0,
        );
      const reports = found.slice(0, limit);
      const lastScanned = scanned.at(-1);
      const isEnd =
        scanned.length < (maxScanned ?? Number.POSITIVE_INFINITY) ||
        !hasFilter ||
        (since !== undefined && (lastScanned?.createdAt ?? 0) < since);
      const next =
        found.length > limit
          ? reports.at(-1)?.message.id
          : isEnd
            ? undefined
            : lastScanned?.id;
      return { messages: reports, ...(next !== undefined && { next }) };
    },
    async listDeliveries(messageSeq, { limit, after = -1, state }) {
      return listDeliveries(tables, messageSeq)
        .filter((row) => row.target > after)
        .filter((row) => state === undefined || row.state === state)
        .sort((a, b) => a.target - b.target)
        .slice(0, limit)
        .map((row) => toDelivery(tables, row));
    },
    async findDelivery(messageSeq, target) {
      const row = deliveries.get(deliveryKey({ messageSeq, target }));
      return row && toDelivery(tables, row);
    },
  };
}

/** Keeps a message for its topic's audience. */
export function acceptMessage(
  tables: Tables,
  message: NewMessage,
  hold: Hold | undefined,
): { seq: number; range: AudienceRange | undefined } {
  const seq = addMessage(tables, message);
  const topicSeq = message.topic?.seq ?? 0;
  if (listActive(tables, topicSeq).length === 0) {
    return { seq, range: undefined };
  }
  const whole = { messageSeq: seq, topicSeq, afterTarget: 0 };
  const range = addRange(tables, { ...whole, uptoTarget: undefined }, hold);
  return { seq, range: hold && toRange(range) };
}

function toReport(tables: Tables, message: Message): MessageReport {
  const counts: Partial<Record<DeliveryState, number>> = {};
  for (const { state } of listDeliveries(tables, message.seq)) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  const fannedOut = !tables.ranges
    .list()
    .some((row) => row.messageSeq === message.seq);
  return { message, fannedOut, counts };
}

function toDelivery(tables: Tables, row: DeliveryRow): Delivery {
  const { messageSeq, target, lastAttempt, attempts, earlierAttempts } = row;
  const { topic } = getMessage(tables, messageSeq);
  const direct = tables.recipients.get(deliveryKey(row));
  const subscription = tables.subscriptions.get(target);
  const recipient = direct ?? subscription;
  if (!recipient) throw new Error(`Nobody is target ${target}.`);
  const { billable: _, round: _r, fence: _f, hold: _h, ...told } = row;
  const {
    attempts: _a,
    lastAttempt: _l,
    earlierAttempts: _e,
    receipts,
    actions,
    ...members
  } = told;
  return {
    ...members,
    protocol: recipient.protocol,
    endpoint: recipient.endpoint,
    ...(!direct &&
      topic &&
      subscription && {
        subscriptionUrn: formatSubscriptionUrn(topic.urn, subscription.id),
      }),
    attemptCount: attempts,
    attempts: lastAttempt ? [...earlierAttempts, lastAttempt] : earlierAttempts,
    ...(receipts.length > 0 && { receipts }),
    ...(actions.length > 0 && { actions }),
  };
}
