/** Deliveries of the in-memory store that their subscribers fetch. */

import {
  addMs,
  cancelReasons,
  decideClaim,
  decideLegacyReceive,
  type EpochMs,
  type LeaseKey,
  type LeaseRequest,
  type MessageLease,
  type MessageQueueStore,
  maxEventsOfStream,
  nextState,
  reasonUnconfirmed,
  toEpochMs,
} from "@carillon/core";
import { cancel, endIfCancelled } from "./cancellation.ts";
import { claimFactsOf, findRecipient, topicOf } from "./deliveries.ts";
import { isDeleted } from "./directory.ts";
import { whyNotQueued } from "./mailbox-admission.ts";
import { isOpen, listIn } from "./mailboxes.ts";
import { endOverdue, settle } from "./overdue-messages.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

/** A delivery that is in a mailbox. */
type QueuedRow = DeliveryRow & Required<Pick<DeliveryRow, "pull">>;

/** How many leases one call of {@link MessageQueueStore.leaseMessages} ends. */
const maxEnded = 1000;

export function createMessageQueueStore(tables: Tables): MessageQueueStore {
  const { deliveries, mailboxes, write } = tables;

  function put(row: DeliveryRow): DeliveryRow {
    return deliveries.put(deliveryKey(row), row);
  }

  function list(mailbox: number): QueuedRow[] {
    return listIn(tables, mailbox).filter(isQueued);
  }

  /** The delivery, if the lease holds. */
  function findLeased(
    mailbox: number,
    { fence, ...key }: LeaseKey,
    now: EpochMs,
  ): QueuedRow | undefined {
    const row = deliveries.get(deliveryKey(key));
    return row &&
      isQueued(row) &&
      row.pull.mailbox === mailbox &&
      row.fence === fence &&
      holds(row, now)
      ? row
      : undefined;
  }

  /** Whether it is confirmed, and this lease was its last. */
  function wasAcked(mailbox: number, { fence, ...key }: LeaseKey): boolean {
    const row = deliveries.get(deliveryKey(key));
    const subscription = tables.subscriptions.get(key.target);
    return (
      row?.state === "delivered" &&
      row.fence === fence &&
      subscription?.mailbox === mailbox
    );
  }

  /** Does it to those whose lease holds, and answers which these were. */
  function forLeased(
    mailbox: number,
    keys: readonly LeaseKey[],
    now: EpochMs,
    change: (row: QueuedRow) => void,
  ) {
    return write(() =>
      keys.map((key) => {
        const row = findLeased(mailbox, key, now);
        if (row) change(row);
        return row !== undefined;
      }),
    );
  }

  function lease(
    row: QueuedRow,
    now: EpochMs,
    leaseMs: number,
    eventId: number | undefined,
  ): MessageLease {
    const { messageSeq, target } = row;
    const until = addMs(now, leaseMs);
    const { eventId: _, ...pull } = row.pull;
    const { attempts, fence } = put({
      ...row,
      state: "sending",
      attempts: row.attempts + 1,
      lastAttempt: { at: now, durationMs: 0 },
      fence: row.fence + 1,
      pull: { ...pull, until, ...(eventId !== undefined && { eventId }) },
    });
    return {
      messageSeq,
      target,
      fence,
      deliveryCount: attempts,
      until,
      topicSeq: topicOf(tables, row)?.seq ?? 0,
      ...(eventId !== undefined && { eventId }),
    };
  }

  /** Leases what waits, and cancels what nobody wants any more. */
  function leaseReady(
    { mailbox, limit, leaseMs, stream }: LeaseRequest,
    now: EpochMs,
    maxDeliveries: number,
  ): MessageLease[] {
    const leases: MessageLease[] = [];
    for (const row of list(mailbox)) {
      if (leases.length === limit) break;
      if (!isReady(row, now) || isBlocked(row)) continue;
      if (row.attempts >= maxDeliveries) {
        bury(row, now);
        continue;
      }
      const decision = decideClaim(claimFactsOf(tables, row));
      if (findRecipient(tables, row) && decision === "send") {
        const eventId =
          stream === undefined ? undefined : stream + leases.length + 1;
        leases.push(lease(row, now, leaseMs, eventId));
      } else {
        const why = decision === "send" ? "unsubscribed" : decision;
        cancel(tables, row, cancelReasons[why], now);
      }
    }
    return leases;
  }

  /** Whether an earlier one of its ordering key waits or is leased. */
  function isBlocked({ messageSeq, target, pull }: QueuedRow): boolean {
    const { mailbox, orderingKey } = pull;
    if (orderingKey === undefined) return false;
    const first = list(mailbox).find(
      (it) => it.pull.orderingKey === orderingKey && it.state !== "failed",
    );
    // What was put back before a leased one waits for that one's end.
    const isHeldUp = list(mailbox).some(
      (it) => it.pull.orderingKey === orderingKey && it.pull.until,
    );
    return (
      isHeldUp || first?.messageSeq !== messageSeq || first.target !== target
    );
  }

  /** It is confirmed. */
  function confirm(row: QueuedRow, now: EpochMs): void {
    const { pull: _, ...rest } = row;
    const acked = put({
      ...rest,
      state: nextState(row.state, "deliver"),
      lastAttempt: { at: now, durationMs: 0 },
    });
    settle(tables, acked, now);
  }

  /** It was handed out as often as may be. */
  function bury(row: QueuedRow, now: EpochMs): void {
    const { until: _, eventId: _event, ...pull } = row.pull;
    const dead = put({
      ...row,
      pull,
      state: nextState(row.state, "fail"),
      lastAttempt: {
        at: now,
        durationMs: 0,
        errorClass: "mailbox",
        error: reasonUnconfirmed(row.attempts),
      },
    });
    settle(tables, dead, now);
  }

  /** It waits again, from the instant on if there is one; or it is dead. */
  function giveBack(
    row: QueuedRow,
    now: EpochMs,
    {
      maxDeliveries = Number.POSITIVE_INFINITY,
      delayMs = 0,
    }: { maxDeliveries?: number; delayMs?: number },
  ): "returned" | "dead" {
    if (row.attempts >= maxDeliveries) {
      bury(row, now);
      return "dead";
    }
    const { until: _, eventId: _event, ...pull } = row.pull;
    const free = put({
      ...row,
      state: nextState(row.state, "release"),
      pull: { ...pull, ...(delayMs > 0 && { until: addMs(now, delayMs) }) },
      ...(delayMs > 0 && { lastAttempt: { at: now, durationMs: 0 } }),
    });
    endIfUnwanted(free, now);
    return "returned";
  }

  /** Cancels what waits again and nobody wants any more. */
  function endIfUnwanted(row: DeliveryRow, now: EpochMs): void {
    if (endIfCancelled(tables, row, now)) return;
    const subscription = tables.subscriptions.get(row.target);
    if (subscription && isDeleted(subscription)) withdraw(row, now);
  }

  /** Its subscription was deleted. */
  function withdraw(row: DeliveryRow, now: EpochMs): void {
    const { topicSeq = 0 } = tables.subscriptions.get(row.target) ?? {};
    const isTopicDeleted = tables.deletedTopics.has(topicSeq);
    const why = isTopicDeleted ? "topic_deleted" : "unsubscribed";
    cancel(tables, row, cancelReasons[why], now);
  }

  function endEach(
    rows: readonly QueuedRow[],
    now: EpochMs,
    maxDeliveries: number,
  ) {
    const ended = { returned: 0, dead: 0 };
    for (const row of rows) {
      const end = giveBack(row, now, { maxDeliveries });
      ended[end]++;
      // Else a delay was over.
      const wasLeased = row.state === "sending";
      if (end === "returned" && wasLeased) tables.queueOutcomes.returned();
    }
    return ended;
  }

  /** Those of a mailbox, before anything of it is leased. */
  function endOf(mailbox: number, now: EpochMs, maxDeliveries: number): void {
    const over = list(mailbox).filter((row) => hasEnded(row, now));
    endEach(over.slice(0, maxEnded), now, maxDeliveries);
  }

  return {
    leaseMessages: (requests, now, maxDeliveries) =>
      write(() =>
        requests.map((request) => {
          endOf(request.mailbox, now, maxDeliveries);
          return leaseReady(request, now, maxDeliveries);
        }),
      ),
    mayHaveMessages: async (mailbox, now) =>
      list(mailbox).some(
        (row) => hasEnded(row, now) || (isReady(row, now) && !isBlocked(row)),
      ),
    ackLeases: (mailbox, keys, now) =>
      write(() =>
        keys.map((key) => {
          const row = findLeased(mailbox, key, now);
          if (!row) return wasAcked(mailbox, key);
          confirm(row, now);
          return true;
        }),
      ),
    nackLeases: (mailbox, keys, options, now) =>
      forLeased(mailbox, keys, now, (row) => giveBack(row, now, options)),
    extendLeases: (mailbox, keys, leaseMs, now) =>
      forLeased(mailbox, keys, now, (row) => {
        const until = addMs(now, leaseMs);
        const lastAttempt = { at: now, durationMs: 0 };
        put({ ...row, lastAttempt, pull: { ...row.pull, until } });
      }),
    returnLeases: (mailbox, keys, now) =>
      forLeased(mailbox, keys, now, (row) => {
        giveBack({ ...row, attempts: row.attempts - 1 }, now, {});
      }),
    endLeases: (now, maxDeliveries, limit) =>
      write(() => {
        const over = deliveries
          .list()
          .filter(isQueued)
          .filter((row) => hasEnded(row, now))
          .sort((a, b) => untilOf(a) - untilOf(b))
          .slice(0, limit);
        const ended = endEach(over, now, maxDeliveries);
        return { ...ended, mayHaveMore: over.length === limit };
      }),
    async nextLeaseEnd() {
      const ends = deliveries
        .list()
        .flatMap(({ pull }) => (pull?.until === undefined ? [] : [pull.until]));
      return ends.sort((a, b) => a - b)[0];
    },
    openStream: (mailbox) =>
      write(() => {
        const row = mailboxes.get(mailbox);
        if (!row) return 0;
        const { streams } = mailboxes.put(mailbox, {
          ...row,
          streams: row.streams + 1,
        });
        return streams * maxEventsOfStream;
      }),
    resumeStream: (request, afterEventId, now, maxDeliveries) =>
      write(() => {
        const { mailbox, limit, leaseMs, stream } = request;
        if (!mailboxes.has(mailbox)) return [];
        const end = endOfStream(afterEventId);
        return list(mailbox)
          .filter((row) => holds(row, now) && row.attempts < maxDeliveries)
          .filter(({ pull: { eventId = 0 } }) => eventId > afterEventId)
          .filter(({ pull: { eventId = 0 } }) => eventId < end)
          .sort((a, b) => (a.pull.eventId ?? 0) - (b.pull.eventId ?? 0))
          .slice(0, limit)
          .map((row, n) => lease(row, now, leaseMs, stream + n + 1));
      }),
    receiveLegacy: (request, now, maxDeliveries) =>
      write(() => {
        const { mailbox, leaseMs, confirmWindowMs, legacyConfirm } = request;
        const row = mailboxes.get(mailbox);
        if (!row) return [];
        endOf(mailbox, now, maxDeliveries);
        const [oldest, ...others] = list(mailbox).filter(
          ({ state }) => state === "sending",
        );
        const meaning = decideLegacyReceive({
          hasLeased: oldest !== undefined,
          lastGetAt: row.lastGetAt,
          now,
          confirmWindowMs,
          legacyConfirm,
          confirmsById: row.confirmsById === true,
        });
        if (oldest && meaning === "confirm") {
          confirm(oldest, now);
          for (const other of others) {
            const until = addMs(now, leaseMs);
            if (untilOf(other) >= until) continue;
            const lastAttempt = { at: now, durationMs: 0 };
            put({ ...other, lastAttempt, pull: { ...other.pull, until } });
          }
        }
        const leases =
          meaning === "poll" ? leaseReady(request, now, maxDeliveries) : [];
        if (oldest || leases.length > 0) {
          mailboxes.put(mailbox, { ...row, lastGetAt: now });
        }
        return leases;
      }),
    confirmMessages: (mailbox, messageSeqs, isSuccess, now) =>
      write(() => {
        const row = mailboxes.get(mailbox);
        if (!row) return 0;
        const named = list(mailbox)
          .filter(({ messageSeq }) => messageSeqs.includes(messageSeq))
          .filter(({ state }) => state !== "failed");
        for (const it of named) {
          if (isSuccess) confirm(it, now);
          else giveBack(it, now, {});
        }
        if (isSuccess && named.length > 0) {
          mailboxes.put(mailbox, { ...row, confirmsById: true });
        }
        return named.length;
      }),
    async listDeadMessages(mailbox, { limit, after = 0 }) {
      return list(mailbox)
        .filter(({ state }) => state === "failed")
        .filter(({ messageSeq }) => messageSeq > after)
        .slice(0, limit)
        .map((row) => ({
          messageSeq: row.messageSeq,
          target: row.target,
          topicSeq: topicOf(tables, row)?.seq ?? 0,
          deliveryCount: row.attempts,
          reason: row.lastAttempt?.error ?? "",
          diedAt: row.lastAttempt?.at ?? toEpochMs(0),
        }));
    },
    redriveMessages: (mailbox, choice, expiresAt, now) =>
      write(() => {
        const limit = "limit" in choice ? choice.limit : undefined;
        const dead = list(mailbox)
          .filter(({ state }) => state === "failed")
          .filter(
            ({ messageSeq }) =>
              "limit" in choice || choice.messageSeqs.includes(messageSeq),
          )
          .slice(0, limit);
        let redriven = 0;
        for (const row of dead) {
          if (whyNotQueued(tables, mailbox, now) !== undefined) break;
          redriven++;
          const { lastAttempt: _, ...rest } = row;
          const pull = { ...row.pull, expiresAt };
          endIfUnwanted(
            put({ ...rest, state: "waiting", attempts: 0, pull }),
            now,
          );
        }
        return redriven;
      }),
    forgetDeadMessages: (diedBy, limit) =>
      write(() => {
        const old = deliveries
          .list()
          .filter(({ pull, state }) => pull && state === "failed")
          .filter(({ lastAttempt }) => lastAttempt && lastAttempt.at <= diedBy)
          .slice(0, limit);
        for (const { pull: _, ...row } of old) put(row);
        return old.length;
      }),
    expireMessages: (now, limit) => write(() => endOverdue(tables, now, limit)),
    cancelWithdrawn: (now, limit) =>
      write(() => {
        let room = limit;
        for (const [key, { mailbox, target }] of tables.withdrawals.entries()) {
          const open = list(mailbox).filter((row) =>
            target === undefined
              ? isOpen(row)
              : row.target === target && row.state === "waiting",
          );
          for (const row of open.slice(0, room)) withdraw(row, now);
          if (open.length >= room) return true;
          room -= open.length;
          tables.withdrawals.delete(key);
        }
        return false;
      }),
    watchMailboxes: (listener) => tables.readyMailboxes.watch(listener),
    watchOutcomes: (listener) => tables.queueOutcomes.watch(listener),
  };
}

/** Leases and delays that were begun when the clock was ahead end no later. */
export function shortenLeases({ deliveries }: Tables, now: EpochMs): void {
  for (const row of deliveries.list()) {
    const { pull, lastAttempt } = row;
    if (pull?.until === undefined || !lastAttempt) continue;
    if (lastAttempt.at <= now) continue;
    const until = addMs(now, pull.until - lastAttempt.at);
    deliveries.put(deliveryKey(row), { ...row, pull: { ...pull, until } });
  }
}

function isQueued(row: DeliveryRow): row is QueuedRow {
  return row.pull !== undefined;
}

function untilOf({ pull }: QueuedRow): number {
  return pull.until ?? Number.POSITIVE_INFINITY;
}

/** Whether it is leased. */
function holds(row: QueuedRow, now: EpochMs): boolean {
  return row.state === "sending" && untilOf(row) > now;
}

/** Whether it was leased, or delayed, until now. */
function hasEnded(row: QueuedRow, now: EpochMs): boolean {
  return untilOf(row) <= now;
}

/** Whether it may be leased, as far as its ordering key lets it. */
function isReady({ state, pull }: QueuedRow, now: EpochMs): boolean {
  return (
    state === "waiting" && pull.until === undefined && pull.expiresAt > now
  );
}

/** The first number behind all ids of the stream that this one is of. */
function endOfStream(eventId: number): number {
  return (Math.floor(eventId / maxEventsOfStream) + 1) * maxEventsOfStream;
}
