/** Writes of deliveries that are in mailboxes: leased, confirmed, given back. */

import type { DatabaseSync } from "node:sqlite";
import type {
  EndedLeases,
  EpochMs,
  LeaseKey,
  LeaseRequest,
  LegacyReceive,
  MessageLease,
  SettledMessage,
} from "@carillon/core";
import {
  cancelReasons,
  decideClaim,
  decideLegacyReceive,
  maxEventsOfStream,
  reasonNotQueued,
  reasonUnconfirmed,
  toEpochMs,
} from "@carillon/core/rules";
import { errorClassCodes, queueStates, stateCodes } from "../schema/codes.ts";
import { claimFacts, dueTables } from "../schema/due-row.ts";
import { firstEnded } from "../schema/ended-leases.ts";
import { prepareQuery } from "../schema/query.ts";
import { statusCodes } from "../schema/subscription-status.ts";
import { defineTable, type RowOf } from "../schema/table.ts";
import { createCancellation } from "./cancellation.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createMailboxEntry } from "./mailbox-entry.ts";
import {
  type CancelledEnd,
  createCancelledEnds,
} from "./message-cancellation.ts";
import { CountChanges } from "./message-counts.ts";
import { createOverdueEnds, type OverdueEnds } from "./overdue-messages.ts";
import { SettledCounts } from "./statistics-writes.ts";

const { waiting, sending, delivered, failed } = stateCodes;
const { ready, leased, blocked, dead } = queueStates;

/** A delivery that is in a mailbox, as what is done to it looks at it. */
type QueuedRow = readonly [
  messageSeq: number,
  target: number,
  state: number,
  attempts: number,
  fence: number,
  mailbox: number,
  orderingKey: string | null,
  topicSeq: number,
];

type ReadyRow = readonly [
  ...QueuedRow,
  ...RowOf<ReturnType<typeof facts.fromRow>>,
];

const queuedColumns = `d.message_seq, d.target, d.state, d.attempts, d.fence,
  d.mailbox, d.ordering_key, s.topic_seq`;
const queuedWidth = 8;
const facts = defineTable("deliveries", claimFacts);

/** Deliveries (d) by one of their indexes, with their subscriptions (s). */
const queuedFrom = (index: string) => `deliveries AS d ${index}
  CROSS JOIN subscriptions AS s ON s.seq = d.target`;
const byMailbox = queuedFrom("INDEXED BY deliveries_queued");

/** The topic of a delivery's subscription. Index: the primary key. */
const topicOf = "(SELECT topic_seq FROM subscriptions WHERE seq = target)";

/** How many messages that nobody wants any more one operation cancels at most. */
const maxUnwanted = 500;

/** How many leases a confirmation that names no message renews at most. */
const maxRenewed = 1000;

/** What an operation adds up, to be written once at its end. */
interface Totals {
  /** How many messages that are not wanted it has cancelled. */
  unwanted: number;
  readonly countChanges: CountChanges;
  readonly settledCounts: SettledCounts;
  readonly endIfCancelled: CancelledEnd;
  readonly overdue: OverdueEnds;
}

export function createQueueWrites(db: DatabaseSync, journal: ChangeJournal) {
  /**
   * What may be leased, oldest message first. Parameters: mailbox, now, limit.
   * Index: deliveries_queued; passed over is what is past its life.
   */
  const readyIn = prepareQuery<ReadyRow>(
    db,
    `SELECT ${queuedColumns}, ${facts.columns("d")}
     FROM deliveries AS d INDEXED BY deliveries_queued ${dueTables}
     WHERE d.mailbox = ? AND d.queue_state = ${ready} AND d.expires_at > ?
     ORDER BY d.message_seq, d.target LIMIT +?`,
  );
  /**
   * Leases and delays of a mailbox that are over, as far as they are among the
   * first of all. Parameters: now, mailbox. Index: deliveries_leased.
   */
  const endedIn = prepareQuery<QueuedRow>(
    db,
    `SELECT ${queuedColumns} FROM (${firstEnded}) AS e
     CROSS JOIN deliveries AS d
       ON d.message_seq = e.message_seq AND d.target = e.target
     CROSS JOIN subscriptions AS s ON s.seq = d.target
     WHERE e.mailbox = ?`,
  );
  /** The same of all mailboxes. Parameters: now, limit. */
  const ended = prepareQuery<QueuedRow>(
    db,
    `SELECT ${queuedColumns}
     FROM ${queuedFrom("INDEXED BY deliveries_leased")}
     WHERE d.queue_state = ${leased} AND d.lease_until <= ?
     ORDER BY d.lease_until LIMIT +?`,
  );
  /** The oldest message that is leased. Parameters: mailbox, now. */
  const oldestLeasedIn = prepareQuery<QueuedRow>(
    db,
    `SELECT ${queuedColumns} FROM ${byMailbox}
     WHERE d.mailbox = ? AND d.queue_state = ${leased} AND d.state = ${sending}
       AND d.lease_until > ?
     ORDER BY d.message_seq, d.target LIMIT 1`,
  );
  /**
   * Leases of a stream. Parameters: mailbox, now, id after, before, attempts
   * below, limit.
   */
  const streamed = prepareQuery<QueuedRow>(
    db,
    `SELECT ${queuedColumns} FROM ${byMailbox}
     WHERE d.mailbox = ? AND d.queue_state = ${leased} AND d.state = ${sending}
       AND d.lease_until > ? AND d.event_id > ? AND d.event_id < ?
       AND d.attempts < ?
       AND EXISTS (SELECT 1 FROM mailboxes AS m WHERE m.seq = d.mailbox)
     ORDER BY d.event_id LIMIT +?`,
  );
  /** Parameters: mailbox, limit. */
  const deadIn = prepareQuery<QueuedRow>(
    db,
    `SELECT ${queuedColumns} FROM ${byMailbox}
     WHERE d.mailbox = ? AND d.queue_state = ${dead}
     ORDER BY d.message_seq, d.target LIMIT +?`,
  );
  /** The condition: the lease holds. */
  const ifHeld = `message_seq = ? AND target = ? AND fence = ?
    AND mailbox = ? AND queue_state = ${leased} AND state = ${sending}
    AND lease_until > ?`;
  /** Parameters: those of the condition. Index: the primary key. */
  const held = prepareQuery<
    [attempts: number, orderingKey: string | null, topicSeq: number]
  >(
    db,
    `SELECT attempts, ordering_key, ${topicOf} FROM deliveries WHERE ${ifHeld}`,
  );
  /**
   * Those of a message that stand so in a mailbox. Parameters: mailbox, queue
   * state, message.
   */
  const ofMessage = prepareQuery<QueuedRow>(
    db,
    `SELECT ${queuedColumns} FROM ${byMailbox}
     WHERE d.mailbox = ? AND d.queue_state = ? AND d.message_seq = ?`,
  );
  /** Parameters: end of the lease, event, now, message, target. */
  const lease = db.prepare(
    `UPDATE deliveries SET state = ${sending}, attempts = attempts + 1,
       fence = fence + 1, queue_state = ${leased}, lease_until = ?,
       event_id = ?, last_at = ?, last_duration_ms = 0,
       last_error_class = NULL, last_error = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  const settle = `state = ${delivered}, queue_state = NULL, mailbox = NULL,
    lease_until = NULL, event_id = NULL, expires_at = NULL, last_at = ?,
    last_duration_ms = 0, last_error_class = NULL, last_error = NULL`;
  /**
   * Answers whether others may have waited for it.
   * Parameters: now, those of the condition. Index: the primary key.
   */
  const ack = prepareQuery<[isOrdered: number, topicSeq: number]>(
    db,
    `UPDATE deliveries SET ${settle} WHERE ${ifHeld}
     RETURNING ordering_key IS NOT NULL, ${topicOf}`,
  );
  /**
   * It is confirmed, and this lease was its last. Parameters: message, target,
   * fence, mailbox. Index: the primary key.
   */
  const wasAcked = prepareQuery<[1]>(
    db,
    `SELECT 1 FROM deliveries
     WHERE message_seq = ? AND target = ? AND fence = ? AND state = ${delivered}
       AND ? = (SELECT mailbox FROM subscriptions WHERE seq = target)`,
  );
  /** Whether it is leased or not. Parameters: now, message, target. */
  const confirm = db.prepare(
    `UPDATE deliveries SET ${settle} WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: end of the lease, now, those of the condition. */
  const extend = db.prepare(
    `UPDATE deliveries SET lease_until = ?, last_at = ? WHERE ${ifHeld}`,
  );
  /**
   * Leases of a mailbox, those of the oldest messages, to no earlier end.
   * Parameters: end of the lease, now, mailbox. Index: deliveries_queued.
   */
  const renew = db.prepare(
    `UPDATE deliveries SET lease_until = ?1, last_at = ?2
     WHERE (message_seq, target) IN (
       SELECT message_seq, target FROM deliveries INDEXED BY deliveries_queued
       WHERE mailbox = ?3 AND queue_state = ${leased} AND state = ${sending}
         AND lease_until > ?2
       ORDER BY message_seq, target LIMIT ${maxRenewed}) AND lease_until < ?1`,
  );
  /** Parameters: attempts that do not count, message, target. */
  const giveBack = db.prepare(
    `UPDATE deliveries SET state = ${waiting}, queue_state = ${ready},
       lease_until = NULL, event_id = NULL, attempts = attempts - ?
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: end of the delay, now, message, target. */
  const delay = db.prepare(
    `UPDATE deliveries SET state = ${waiting}, lease_until = ?, event_id = NULL,
       last_at = ?
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: now, reason, message, target. */
  const bury = db.prepare(
    `UPDATE deliveries SET state = ${failed}, queue_state = ${dead},
       lease_until = NULL, event_id = NULL, last_at = ?, last_duration_ms = 0,
       last_error_class = ${errorClassCodes.mailbox}, last_error = ?
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: end of its life, message, target. */
  const redrive = db.prepare(
    `UPDATE deliveries SET state = ${waiting}, queue_state = ${ready},
       attempts = 0, expires_at = ?, last_at = NULL, last_duration_ms = NULL,
       last_error_class = NULL, last_error = NULL
     WHERE message_seq = ? AND target = ?`,
  );
  /** Parameters: when it died, limit. Index: deliveries_dead. */
  const forgetDead = db.prepare(
    `UPDATE deliveries SET queue_state = NULL, mailbox = NULL
     WHERE (message_seq, target) IN (
       SELECT message_seq, target FROM deliveries INDEXED BY deliveries_dead
       WHERE queue_state = ${dead} AND last_at <= ?
       ORDER BY last_at LIMIT +?)`,
  );
  /** Parameters: mailbox. Index: the primary key. */
  const openStream = prepareQuery<[streams: number]>(
    db,
    `UPDATE mailboxes SET streams = streams + 1 WHERE seq = ?
     RETURNING streams`,
  );
  const legacyState = prepareQuery<
    [confirmsById: number, lastGetAt: EpochMs | null]
  >(db, "SELECT confirms_by_id, last_get_at FROM mailboxes WHERE seq = ?");
  const setLastGet = db.prepare(
    "UPDATE mailboxes SET last_get_at = ? WHERE seq = ?",
  );
  const markConfirmsById = db.prepare(
    `UPDATE mailboxes SET confirms_by_id = 1
     WHERE seq = ? AND confirms_by_id = 0`,
  );
  /** Whom it was for, deleted since. Parameters: subscription. */
  const deletedStatus = prepareQuery<[status: number]>(
    db,
    `SELECT status FROM subscriptions
     WHERE seq = ? AND status >= ${statusCodes.deleted}`,
  );
  const mailboxEntry = createMailboxEntry(db);
  const cancel = createCancellation(db);
  const createCancelledEnd = createCancelledEnds(db);
  const createOverdue = createOverdueEnds(db, journal);

  /** Does it, and writes what it added up. */
  function operate<Result>(
    now: EpochMs,
    work: (totals: Totals) => Result,
  ): Result {
    const countChanges = new CountChanges();
    const settledCounts = new SettledCounts();
    const endIfCancelled = createCancelledEnd(now, countChanges, settledCounts);
    const result = work({
      unwanted: 0,
      countChanges,
      settledCounts,
      endIfCancelled,
      overdue: createOverdue(now, { countChanges, settledCounts }),
    });
    journal.addCounts(countChanges, now);
    journal.addSettled(settledCounts);
    return result;
  }

  function noteSettled(
    messageSeq: number,
    target: number,
    topicSeq: number,
    state: SettledMessage["state"],
  ): void {
    journal.queueOutcomes.settled({ messageSeq, target, topicSeq, state });
  }

  function leaseRow(
    [messageSeq, target, state, attempts, fence, , , topicSeq]: QueuedRow,
    now: EpochMs,
    leaseMs: number,
    eventId: number | undefined,
    { countChanges }: Totals,
  ): MessageLease {
    const until = toEpochMs(now + leaseMs);
    lease.run(until, eventId ?? null, now, messageSeq, target);
    countChanges.move(messageSeq, target, state, sending);
    return {
      messageSeq,
      target,
      fence: fence + 1,
      deliveryCount: attempts + 1,
      until,
      topicSeq,
      ...(eventId !== undefined && { eventId }),
    };
  }

  /** Leases what waits, and cancels what nobody wants any more. */
  function leaseReady(
    { mailbox, limit, leaseMs, stream }: LeaseRequest,
    now: EpochMs,
    maxDeliveries: number,
    totals: Totals,
  ): MessageLease[] {
    const leases: MessageLease[] = [];
    // What a round does not lease is ready no more: each comes further.
    for (;;) {
      const wanted = limit - leases.length;
      const rows = wanted > 0 ? readyIn.all(mailbox, now, wanted) : [];
      let isUnblocked = false;
      for (const row of rows) {
        const queued = row.slice(0, queuedWidth) as unknown as QueuedRow;
        const decision = decide(row);
        if (decision !== "send") {
          const { countChanges, settledCounts } = totals;
          if (totals.unwanted === maxUnwanted) {
            // Whoever waits looks again, and comes further.
            countChanges.readyMailboxes.add(mailbox);
            return leases;
          }
          totals.unwanted++;
          const reason = cancelReasons[decision];
          cancel(queued, reason, now, countChanges, settledCounts);
        } else if (queued[3] >= maxDeliveries) buryRow(queued, now, totals);
        else {
          const eventId =
            stream === undefined ? undefined : stream + leases.length + 1;
          leases.push(leaseRow(queued, now, leaseMs, eventId, totals));
          continue;
        }
        // It stood before others of its ordering key, which may come first now.
        isUnblocked = queued[6] !== null;
        if (isUnblocked) break;
      }
      if (!isUnblocked && (rows.length < wanted || wanted === 0)) {
        return leases;
      }
    }
  }

  /** It was handed out as often as may be. */
  function buryRow(
    row: QueuedRow,
    now: EpochMs,
    { countChanges, settledCounts }: Totals,
  ): void {
    const [messageSeq, target, state, attempts, , mailbox, orderingKey, topic] =
      row;
    bury.run(now, reasonUnconfirmed(attempts), messageSeq, target);
    countChanges.move(messageSeq, target, state, failed);
    settledCounts.add(messageSeq, target, failed, now);
    noteSettled(messageSeq, target, topic, "failed");
    if (orderingKey !== null) countChanges.readyMailboxes.add(mailbox);
  }

  /** Cancels what waits again and nobody wants any more; answers whether it did. */
  function endIfUnwanted(
    messageSeq: number,
    target: number,
    now: EpochMs,
    { countChanges, settledCounts, endIfCancelled }: Totals,
  ): boolean {
    if (endIfCancelled(messageSeq, target, waiting)) return true;
    const [status] = deletedStatus.get(target) ?? [];
    if (status === undefined) return false;
    const why =
      status === statusCodes.deleted ? "unsubscribed" : "topic_deleted";
    const row = [messageSeq, target, waiting] as const;
    cancel(row, cancelReasons[why], now, countChanges, settledCounts);
    return true;
  }

  /** It waits again, at once. */
  function giveBackRow(
    [messageSeq, target, state, , , mailbox, orderingKey]: QueuedRow,
    uncounted: 0 | 1,
    now: EpochMs,
    totals: Totals,
  ): void {
    giveBack.run(uncounted, messageSeq, target);
    totals.countChanges.move(messageSeq, target, state, waiting);
    if (endIfUnwanted(messageSeq, target, now, totals)) return;
    const delivery = { messageSeq, target, mailbox, orderingKey };
    mailboxEntry.place(delivery, totals.countChanges);
  }

  /** It waits again, after a while. */
  function delayRow(
    [messageSeq, target, state]: QueuedRow,
    delayMs: number,
    now: EpochMs,
    totals: Totals,
  ): void {
    delay.run(now + delayMs, now, messageSeq, target);
    totals.countChanges.move(messageSeq, target, state, waiting);
    endIfUnwanted(messageSeq, target, now, totals);
  }

  function endEach(
    rows: readonly QueuedRow[],
    now: EpochMs,
    maxDeliveries: number,
    totals: Totals,
  ) {
    let buried = 0;
    for (const row of rows) {
      const [, , state, attempts] = row;
      if (attempts >= maxDeliveries) {
        buryRow(row, now, totals);
        buried++;
        continue;
      }
      giveBackRow(row, 0, now, totals);
      // Else a delay was over.
      if (state === sending) journal.queueOutcomes.returned();
    }
    return { returned: rows.length - buried, dead: buried };
  }

  function endOf(
    mailbox: number,
    now: EpochMs,
    maxDeliveries: number,
    totals: Totals,
  ): void {
    endEach(endedIn.all(now, mailbox), now, maxDeliveries, totals);
  }

  function confirmRow(
    [messageSeq, target, state, , , mailbox, orderingKey, topic]: QueuedRow,
    now: EpochMs,
    { countChanges, settledCounts }: Totals,
  ): void {
    confirm.run(now, messageSeq, target);
    countChanges.move(messageSeq, target, state, delivered);
    settledCounts.add(messageSeq, target, delivered, now);
    noteSettled(messageSeq, target, topic, "delivered");
    if (orderingKey !== null) countChanges.readyMailboxes.add(mailbox);
  }

  function hasRoom(mailbox: number, { makeRoom }: OverdueEnds): boolean {
    const takesOne = () =>
      reasonNotQueued(mailboxEntry.findMailbox(mailbox)) === undefined;
    return takesOne() || (makeRoom(mailbox) && takesOne());
  }

  /** Does it to those whose lease holds, and answers which these were. */
  function forHeld(
    mailbox: number,
    keys: readonly LeaseKey[],
    now: EpochMs,
    change: (row: QueuedRow, totals: Totals) => void,
  ): boolean[] {
    return operate(now, (totals) =>
      keys.map(({ messageSeq, target, fence }) => {
        const row = held.get(messageSeq, target, fence, mailbox, now);
        if (row === undefined) return false;
        const [attempts, orderingKey, topicSeq] = row;
        const key = [messageSeq, target, sending, attempts, fence] as const;
        change([...key, mailbox, orderingKey, topicSeq], totals);
        return true;
      }),
    );
  }

  return {
    leaseMessages: (
      requests: readonly LeaseRequest[],
      now: EpochMs,
      maxDeliveries: number,
    ): MessageLease[][] =>
      operate(now, (totals) =>
        requests.map((request) => {
          endOf(request.mailbox, now, maxDeliveries, totals);
          return leaseReady(request, now, maxDeliveries, totals);
        }),
      ),
    ackLeases: (
      mailbox: number,
      keys: readonly LeaseKey[],
      now: EpochMs,
    ): boolean[] =>
      operate(now, ({ countChanges, settledCounts }) =>
        keys.map(({ messageSeq, target, fence }) => {
          const lease = [messageSeq, target, fence, mailbox] as const;
          const [isOrdered, topicSeq] = ack.get(now, ...lease, now) ?? [];
          if (isOrdered === undefined || topicSeq === undefined) {
            return wasAcked.get(...lease) !== undefined;
          }
          countChanges.move(messageSeq, target, sending, delivered);
          settledCounts.add(messageSeq, target, delivered, now);
          noteSettled(messageSeq, target, topicSeq, "delivered");
          if (isOrdered) countChanges.readyMailboxes.add(mailbox);
          return true;
        }),
      ),
    nackLeases: (
      mailbox: number,
      keys: readonly LeaseKey[],
      options: { readonly delayMs: number; readonly maxDeliveries: number },
      now: EpochMs,
    ): boolean[] =>
      forHeld(mailbox, keys, now, (row, totals) => {
        const { delayMs, maxDeliveries } = options;
        if (row[3] >= maxDeliveries) buryRow(row, now, totals);
        else if (delayMs > 0) delayRow(row, delayMs, now, totals);
        else giveBackRow(row, 0, now, totals);
      }),
    extendLeases: (
      mailbox: number,
      keys: readonly LeaseKey[],
      leaseMs: number,
      now: EpochMs,
    ): boolean[] =>
      keys.map(({ messageSeq, target, fence }) => {
        const condition = [messageSeq, target, fence, mailbox, now];
        return extend.run(now + leaseMs, now, ...condition).changes > 0;
      }),
    returnLeases: (
      mailbox: number,
      keys: readonly LeaseKey[],
      now: EpochMs,
    ): boolean[] =>
      forHeld(mailbox, keys, now, (row, totals) =>
        giveBackRow(row, 1, now, totals),
      ),
    endLeases: (
      now: EpochMs,
      maxDeliveries: number,
      limit: number,
    ): EndedLeases =>
      operate(now, (totals) => {
        const rows = ended.all(now, limit);
        const found = endEach(rows, now, maxDeliveries, totals);
        return { ...found, mayHaveMore: rows.length === limit };
      }),
    openStream(mailbox: number): number {
      const [streams = 0] = openStream.get(mailbox) ?? [];
      return streams * maxEventsOfStream;
    },
    resumeStream: (
      {
        mailbox,
        limit,
        leaseMs,
        stream,
      }: LeaseRequest & { readonly stream: number },
      afterEventId: number,
      now: EpochMs,
      maxDeliveries: number,
    ): MessageLease[] =>
      operate(now, (totals) => {
        const next = Math.floor(afterEventId / maxEventsOfStream) + 1;
        const before = next * maxEventsOfStream;
        return streamed
          .all(mailbox, now, afterEventId, before, maxDeliveries, limit)
          .map((row, n) => leaseRow(row, now, leaseMs, stream + n + 1, totals));
      }),
    receiveLegacy: (
      request: LegacyReceive,
      now: EpochMs,
      maxDeliveries: number,
    ): MessageLease[] =>
      operate(now, (totals) => {
        const { mailbox, leaseMs, confirmWindowMs, legacyConfirm } = request;
        const [confirmsById, lastGetAt] = legacyState.get(mailbox) ?? [];
        if (confirmsById === undefined) return [];
        endOf(mailbox, now, maxDeliveries, totals);
        const oldest = oldestLeasedIn.get(mailbox, now);
        const hasLeased = oldest !== undefined;
        const meaning = decideLegacyReceive({
          hasLeased,
          lastGetAt: lastGetAt ?? undefined,
          now,
          confirmWindowMs,
          legacyConfirm,
          confirmsById: confirmsById === 1,
        });
        if (oldest && meaning === "confirm") {
          confirmRow(oldest, now, totals);
          renew.run(now + leaseMs, now, mailbox);
        }
        const leases =
          meaning === "poll"
            ? leaseReady(request, now, maxDeliveries, totals)
            : [];
        if (hasLeased || leases.length > 0) setLastGet.run(now, mailbox);
        return leases;
      }),
    confirmMessages: (
      mailbox: number,
      messageSeqs: readonly number[],
      isSuccess: boolean,
      now: EpochMs,
    ): number =>
      operate(now, (totals) => {
        if (legacyState.get(mailbox) === undefined) return 0;
        const rows = [...new Set(messageSeqs)].flatMap((seq) =>
          [leased, ready, blocked].flatMap((state) =>
            ofMessage.all(mailbox, state, seq),
          ),
        );
        for (const row of rows) {
          if (isSuccess) confirmRow(row, now, totals);
          else giveBackRow(row, 0, now, totals);
        }
        if (isSuccess && rows.length > 0) markConfirmsById.run(mailbox);
        return rows.length;
      }),
    redriveMessages: (
      mailbox: number,
      choice:
        | { readonly messageSeqs: readonly number[] }
        | { readonly limit: number },
      expiresAt: EpochMs,
      now: EpochMs,
    ): number =>
      operate(now, (totals) => {
        const { countChanges, overdue } = totals;
        const rows =
          "limit" in choice
            ? deadIn.all(mailbox, choice.limit)
            : [...new Set(choice.messageSeqs)].flatMap((seq) =>
                ofMessage.all(mailbox, dead, seq),
              );
        let redriven = 0;
        for (const row of rows) {
          if (!hasRoom(mailbox, overdue)) break;
          redriven++;
          const [messageSeq, target, , attempts, , , orderingKey] = row;
          // It was never handed out: no mailbox took it.
          if (attempts === 0) countChanges.addUnqueued(messageSeq, -1);
          redrive.run(expiresAt, messageSeq, target);
          countChanges.move(messageSeq, target, failed, waiting);
          if (endIfUnwanted(messageSeq, target, now, totals)) continue;
          const delivery = { messageSeq, target, mailbox, orderingKey };
          mailboxEntry.place(delivery, countChanges);
        }
        return redriven;
      }),
    forgetDeadMessages: (diedBy: EpochMs, limit: number): number =>
      Number(forgetDead.run(diedBy, limit).changes),
    expireMessages: (now: EpochMs, limit: number): number =>
      operate(now, ({ overdue }) => overdue.endFirst(limit)),
  };
}

/**
 * A row that cannot be read is leased all the same: it would stand before all
 * others for ever.
 */
function decide(row: ReadyRow): ReturnType<typeof decideClaim> {
  try {
    const { status, ...rest } = facts.fromRow(row, queuedWidth);
    return decideClaim({ ...rest, status });
  } catch {
    return "send";
  }
}
