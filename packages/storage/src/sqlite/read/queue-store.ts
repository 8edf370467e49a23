/** What is in mailboxes, in SQLite. */

import type { EpochMs, MessageQueueStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { queueStates } from "../schema/codes.ts";
import { firstEnded } from "../schema/ended-leases.ts";

const { ready, leased, dead } = queueStates;

export function createQueueStore({
  reader,
  writer,
}: Connections): MessageQueueStore {
  /**
   * Something to lease; or else a lease that is over, which the first ends that
   * finds it.
   * Parameters: mailbox, now. Index: deliveries_queued.
   */
  const anyReady = reader.prepare<[1]>(
    `SELECT 1 FROM deliveries INDEXED BY deliveries_queued
     WHERE mailbox = ? AND queue_state = ${ready} AND expires_at > ?
     LIMIT 1`,
  );
  /** Parameters: now, mailbox. */
  const anyEnded = reader.prepare<[1]>(
    `SELECT 1 FROM (${firstEnded}) WHERE mailbox = ? LIMIT 1`,
  );
  /** Parameters: mailbox. Index: deliveries_queued. */
  const anyLeased = reader.prepare<[1]>(
    `SELECT 1 FROM deliveries INDEXED BY deliveries_queued
     WHERE mailbox = ? AND queue_state = ${leased} LIMIT 1`,
  );
  /** Index: deliveries_leased, whose first row it is. */
  const firstEnd = reader.prepare<[leaseUntil: EpochMs]>(
    `SELECT lease_until FROM deliveries INDEXED BY deliveries_leased
     WHERE queue_state = ${leased} ORDER BY lease_until LIMIT 1`,
  );
  /** Parameters: mailbox, after, limit. Index: deliveries_queued. */
  const deadIn = reader.prepare<
    [
      messageSeq: number,
      target: number,
      topicSeq: number,
      deliveryCount: number,
      reason: string,
      diedAt: EpochMs,
    ]
  >(
    `SELECT d.message_seq, d.target, s.topic_seq, d.attempts, d.last_error,
       d.last_at
     FROM deliveries AS d INDEXED BY deliveries_queued
     CROSS JOIN subscriptions AS s ON s.seq = d.target
     WHERE d.mailbox = ? AND d.queue_state = ${dead} AND d.message_seq > ?
     ORDER BY d.message_seq, d.target LIMIT +?`,
  );

  const mayHave = (mailbox: number, now: EpochMs) =>
    (anyReady.get(mailbox, now) ?? anyEnded.get(now, mailbox)) !== undefined;

  return {
    leaseMessages: (requests, now, maxDeliveries) =>
      writer.run("leaseMessages", requests, now, maxDeliveries),
    mayHaveMessages: async (mailbox, now) => mayHave(mailbox, now),
    ackLeases: (mailbox, keys, now) =>
      writer.run("ackLeases", mailbox, keys, now),
    nackLeases: (mailbox, keys, options, now) =>
      writer.run("nackLeases", mailbox, keys, options, now),
    extendLeases: (mailbox, keys, leaseMs, now) =>
      writer.run("extendLeases", mailbox, keys, leaseMs, now),
    returnLeases: (mailbox, keys, now) =>
      writer.run("returnLeases", mailbox, keys, now),
    endLeases: (now, maxDeliveries, limit) =>
      writer.run("endLeases", now, maxDeliveries, limit),
    nextLeaseEnd: async () => firstEnd.get()?.[0],
    openStream: (mailbox) => writer.run("openStream", mailbox),
    resumeStream: (request, afterEventId, now, maxDeliveries) =>
      writer.run("resumeStream", request, afterEventId, now, maxDeliveries),
    async receiveLegacy(request, now, maxDeliveries) {
      const { mailbox } = request;
      // Of the GETs of a subscriber most find nothing: they write nothing.
      if (!mayHave(mailbox, now) && !anyLeased.get(mailbox)) return [];
      return await writer.run("receiveLegacy", request, now, maxDeliveries);
    },
    confirmMessages: (mailbox, messageSeqs, isSuccess, now) =>
      writer.run("confirmMessages", mailbox, messageSeqs, isSuccess, now),
    async listDeadMessages(mailbox, { limit, after = 0 }) {
      return deadIn
        .all(mailbox, after, limit)
        .map(
          ([messageSeq, target, topicSeq, deliveryCount, reason, diedAt]) => ({
            messageSeq,
            target,
            topicSeq,
            deliveryCount,
            reason,
            diedAt,
          }),
        );
    },
    redriveMessages: (mailbox, choice, expiresAt, now) =>
      writer.run("redriveMessages", mailbox, choice, expiresAt, now),
    forgetDeadMessages: (diedBy, limit) =>
      writer.run("forgetDeadMessages", diedBy, limit),
    expireMessages: (now, limit) => writer.run("expireMessages", now, limit),
    cancelWithdrawn: (now, limit) => writer.run("cancelWithdrawn", now, limit),
    watchMailboxes: (listener) => writer.watchMailboxes(listener),
    watchOutcomes: (listener) => writer.watchOutcomes(listener),
  };
}
