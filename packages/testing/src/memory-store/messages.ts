/** Accepted messages of the in-memory store, and what is told of them. */

import {
  type AcceptedMessage,
  batchReasonOf,
  type Delivery,
  type DeliveryState,
  type DeliveryStore,
  type DirectRecipient,
  type EpochMs,
  formatSubscriptionUrn,
  type Message,
  type MessageCancellation,
  type MessageReader,
  type MessageReport,
  type NewMessage,
  type RangeLease,
  topicsOf,
  toTopic,
  urgencyOf,
} from "@carillon/core";
import { listActive } from "./directory.ts";
import type { Holds } from "./holds.ts";
import {
  addDueDelivery,
  addMessage,
  addRange,
  getMessage,
  listDeliveries,
  newestAt,
  toRange,
} from "./ledger.ts";
import { equals } from "./lists.ts";
import { findCut, isHeldUp } from "./ranges.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";
import { findTurn } from "./topic-turns.ts";

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
      write(() => acceptMessage(tables, holds, message, lease)),
    acceptDirectMessage: (message, recipients) =>
      write(() => acceptDirectMessage(tables, holds, message, recipients)),
    async findMessageBySeq(seq) {
      return messages.get(seq);
    },
    async findMessage(projectId, id) {
      const message = messages
        .list()
        .find((it) => it.projectId === projectId && it.id === id);
      return message && toReport(tables, message);
    },
    async listMessages(projectId, filter, page) {
      const { topicSeq, state, since, tag, relatedObject } = filter;
      const { limit, before = Number.POSITIVE_INFINITY, maxScanned } = page;
      const all = messages
        .list()
        .filter((it) => it.projectId === projectId && it.seq < before)
        .filter((it) => tag === undefined || it.tag === tag)
        .filter(
          (it) =>
            relatedObject === undefined ||
            it.relatedObjects?.some((object) => equals(object, relatedObject)),
        )
        .reverse();
      const hasFilter =
        topicSeq !== undefined || state !== undefined || since !== undefined;
      const scanned = all.slice(0, hasFilter ? maxScanned : undefined);
      const found = scanned
        .filter(
          (it) =>
            topicSeq === undefined ||
            topicsOf(it).some(({ seq }) => seq === topicSeq),
        )
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
        (lastScanned && newestAt(tables, lastScanned.seq) < (since ?? 0));
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

/** Keeps a message for recipients of its own. */
export function acceptDirectMessage(
  tables: Tables,
  holds: Holds,
  message: NewMessage,
  recipients: readonly DirectRecipient[],
  /** Until the batch sender comes, or it has expired. */
  { isBatched = false } = {},
): { seq: number } {
  const seq = addMessage(tables, message);
  const at = isBatched ? message.expiresAt : dueAtOf(message, holds);
  const urgency = urgencyOf(message, {
    recipients: recipients.length,
    isBatched,
  });
  for (const [target, recipient] of recipients.entries()) {
    const { billable, protocol, endpoint } = recipient;
    const key = deliveryKey({ messageSeq: seq, target });
    tables.recipients.put(key, { protocol, endpoint });
    addDueDelivery(tables, seq, target, at, billable, {
      urgency,
      ...(isBatched && { waitReason: batchReasonOf(protocol) }),
    });
  }
  return { seq };
}

/** Keeps a message for its topic's audience. */
export function acceptMessage(
  tables: Tables,
  holds: Holds,
  message: NewMessage,
  lease: RangeLease | undefined,
): AcceptedMessage {
  const seq = addMessage(tables, message);
  const { audience, ...turn } = firstTurnOf(tables, message, seq);
  if (audience === 0) return { seq, range: undefined, unclaimed: 0 };
  const dueAt = dueAtOf(message, holds);
  const whole = {
    messageSeq: seq,
    ...turn,
    afterTarget: 0,
    uptoTarget: undefined,
    dueAt,
  };
  if (lease === undefined || dueAt > holds.now()) {
    addRange(tables, whole);
    return { seq, range: undefined, unclaimed: audience };
  }
  if (isHeldUp(tables, seq, holds.now())) {
    addRange(tables, whole);
    return { seq, range: undefined, unclaimed: 0 };
  }
  const end = findCut(tables, whole, lease.rangeSize);
  if (end !== undefined) addRange(tables, { ...whole, afterTarget: end });
  const range = addRange(
    tables,
    { ...whole, uptoTarget: end },
    holds.grant(lease),
  );
  const unclaimed = end === undefined ? 0 : audience - lease.rangeSize;
  return { seq, range: toRange(range), unclaimed };
}

/** The topic that is walked first, and how many its recipients are. */
function firstTurnOf(tables: Tables, message: NewMessage, seq: number) {
  if (message.topics) {
    const turn = findTurn(tables, seq, -1, { orCancelled: false });
    return turn ?? { topicSeq: 0, audience: 0 };
  }
  const topicSeq = message.topic?.seq ?? 0;
  return { topicSeq, audience: listActive(tables, topicSeq).length };
}

/** When it may go out; not before now. */
export function dueAtOf({ notBefore }: NewMessage, holds: Holds): EpochMs {
  const now = holds.now();
  return notBefore !== undefined && notBefore > now ? notBefore : now;
}

function toReport(tables: Tables, message: Message): MessageReport {
  const counts: Partial<Record<DeliveryState, number>> = {};
  let unqueued = 0;
  for (const row of listDeliveries(tables, message.seq)) {
    const { state, attempts, lastAttempt } = row;
    counts[state] = (counts[state] ?? 0) + 1;
    const isRefused = attempts === 0 && lastAttempt?.errorClass === "mailbox";
    if (state === "failed" && isRefused) unqueued++;
  }
  const fannedOut = !tables.ranges
    .list()
    .some((row) => row.messageSeq === message.seq);
  const cancellation = cancellationOf(tables, message);
  return {
    message,
    ...(cancellation && { cancellation }),
    fannedOut,
    counts,
    ...(unqueued > 0 && { unqueued }),
  };
}

function cancellationOf(
  { cancelledMessages, jobs }: Tables,
  { seq }: Message,
): MessageCancellation | undefined {
  const row = cancelledMessages.get(seq);
  const job = row && jobs.get(row.jobSeq);
  if (!job) return undefined;
  const { userId, userName, reason, id: jobId } = job;
  return { at: row.at, userId, userName, ...(reason && { reason }), jobId };
}

export function toDelivery(tables: Tables, row: DeliveryRow): Delivery {
  const { messageSeq, target, lastAttempt, attempts, earlierAttempts } = row;
  const direct = tables.recipients.get(deliveryKey(row));
  const subscription = tables.subscriptions.get(target);
  const message = getMessage(tables, messageSeq);
  const { topic } = toTopic(message, subscription?.topicSeq);
  const recipient = direct ?? subscription;
  if (!recipient) throw new Error(`Nobody is target ${target}.`);
  const { billable: _, round: _r, fence: _f, hold: _h, ...told } = row;
  const {
    attempts: _a,
    lastAttempt: _l,
    earlierAttempts: _e,
    attemptAt: _at,
    failsOver: _o,
    resentAfter: _ra,
    urgency: _u,
    waitReason,
    pull,
    expiresAt = pull?.expiresAt,
    parts,
    receipts,
    actions,
    ...members
  } = told;
  const lastOf = parts.at(-1)?.attempt;
  const shownPart = parts.find(({ attempt }) => attempt === lastOf);
  return {
    ...members,
    protocol: recipient.protocol,
    endpoint: recipient.endpoint,
    ...(!direct &&
      topic &&
      subscription && {
        subscriptionUrn: formatSubscriptionUrn(topic.urn, subscription.id),
      }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(waitReason && row.nextAttemptAt !== undefined && { waitReason }),
    attemptCount: attempts,
    attempts: lastAttempt ? [...earlierAttempts, lastAttempt] : earlierAttempts,
    ...(shownPart && { externalId: shownPart.externalId, parts }),
    ...(receipts.length > 0 && { receipts }),
    ...(actions.length > 0 && { actions }),
  };
}
