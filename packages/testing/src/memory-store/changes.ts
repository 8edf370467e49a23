/** The change feed of the in-memory store. */

import {
  type ChangeFeed,
  type EpochMs,
  eventTopicName,
  type MessageHead,
  type Receipt,
  receiptEventOfState,
  reportUrgency,
} from "@carillon/core";
import { listPresent } from "./directory.ts";
import type { Holds } from "./holds.ts";
import { addDueDelivery, addMessage } from "./ledger.ts";
import { acceptMessage } from "./messages.ts";
import { deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createChangeFeed(tables: Tables, holds: Holds): ChangeFeed {
  const { changes, changeConsumers, journal, messages, write } = tables;
  const newest = () => changes.list().at(-1)?.seq ?? 0;

  return {
    async readChanges(after, limit) {
      const from = Number(after);
      const kept = changes.list();
      const oldest = kept[0]?.seq ?? 1;
      // A position is what a number is written as.
      if (`${from}` !== after || !(from >= 0 && from <= newest())) {
        return { kind: "gone", next: `${newest()}` };
      }
      if (from < oldest - 1) return { kind: "gone", next: `${oldest - 1}` };
      const batches = kept
        .filter(({ seq }) => seq > from)
        .slice(0, limit)
        .map(({ seq, at, changes }) => ({ position: `${seq}`, at, changes }));
      return { kind: "batches", batches };
    },
    readLatestPosition: async () => `${newest()}`,
    watchFeed(listener) {
      journal.listeners.add(listener);
      return () => journal.listeners.delete(listener);
    },
    async findMessageHeads(seqs) {
      return seqs.flatMap((seq): MessageHead[] => {
        const message = messages.get(seq);
        if (!message) return [];
        const { id, projectId, content, topic, topics, statusUrl } = message;
        const isEvent =
          content.kind === "event" || topic?.name === eventTopicName;
        return [
          {
            seq,
            id,
            projectId,
            isEvent,
            ...(topic && { topic: { urn: topic.urn, name: topic.name } }),
            ...(topics && {
              topics: topics.map(({ seq, urn, name }) => ({ seq, urn, name })),
            }),
            ...(statusUrl !== undefined && { statusUrl }),
          },
        ];
      });
    },
    async listDeliveryHeads(messageSeq, targets) {
      const isOfSeveral = messages.get(messageSeq)?.audience === "topics";
      return [...targets]
        .sort((a, b) => a - b)
        .flatMap((target) => {
          const key = deliveryKey({ messageSeq, target });
          const row = tables.deliveries.get(key);
          const direct = tables.recipients.get(key);
          const subscription = tables.subscriptions.get(target);
          const recipient = direct ?? subscription;
          if (!row || !recipient) return [];
          const { statusCode, error } = row.lastAttempt ?? {};
          const { provider, segments, parts } = row;
          const lastOf = parts.at(-1)?.attempt;
          const part = parts.find(({ attempt }) => attempt === lastOf);
          const receipt = row.receipts.findLast(
            ({ event }) => event === receiptEventOfState[row.state],
          );
          return [
            {
              target,
              protocol: recipient.protocol,
              endpoint: recipient.endpoint,
              ...(!direct &&
                subscription && { subscriptionId: subscription.id }),
              ...(isOfSeveral &&
                subscription && { topicSeq: subscription.topicSeq }),
              attempts: row.attempts,
              ...(statusCode !== undefined && { statusCode }),
              ...(error !== undefined && { error }),
              ...(provider !== undefined && { provider }),
              ...(part && { externalId: part.externalId }),
              ...(segments !== undefined && { segments }),
              ...(receipt && { receipt: toReceiptHead(receipt) }),
            },
          ];
        });
    },
    async findEventConsumer(since) {
      const ends = [...messages.entries()].flatMap(([seq, message]) =>
        message.statusUrl === undefined
          ? []
          : [message.expiresAt, ...laterEndsOf(tables, Number(seq))],
      );
      return (
        ends.some((at) => at !== undefined && at > since) ||
        listPresent(tables).some(
          ({ topicName }) => topicName === eventTopicName,
        )
      );
    },
    claimConsumer: (name, lease) =>
      write(() => {
        const known = changeConsumers.get(name) ?? { position: newest() };
        const { hold } = known;
        const isTaken =
          hold && hold.owner !== lease.owner && !holds.hasEnded(hold);
        if (isTaken) return undefined;
        const kept = { position: known.position, hold: holds.grant(lease) };
        return `${changeConsumers.put(name, kept).position}`;
      }),
    advanceConsumer: ({ name, owner }, from, to, events) =>
      write(() => {
        const known = changeConsumers.get(name);
        if (known?.hold?.owner !== owner) return false;
        if (known.position !== Number(from)) return false;
        changeConsumers.put(name, { ...known, position: Number(to) });
        for (const event of events) {
          const { message } = event;
          if (!("recipient" in event)) {
            acceptMessage(tables, holds, message, undefined);
            continue;
          }
          const seq = addMessage(tables, message);
          const key = deliveryKey({ messageSeq: seq, target: 0 });
          tables.recipients.put(key, event.recipient);
          addDueDelivery(tables, seq, 0, message.createdAt, false, {
            urgency: reportUrgency,
          });
        }
        return true;
      }),
    forgetChanges: ({ before, maxBatches }, limit) =>
      write(() => {
        const last = newest();
        const positions = changeConsumers.list().map((it) => it.position);
        const read = Math.min(last, ...positions);
        let count = 0;
        for (const { seq, at } of changes.list().slice(0, limit)) {
          if (seq >= last) break;
          const isTooMany = seq <= last - maxBatches;
          if (!isTooMany && (at >= before || seq > read)) break;
          changes.delete(seq);
          count++;
        }
        return count;
      }),
  };
}

function toReceiptHead({ entry: _, externalId: __, ...receipt }: Receipt) {
  return receipt;
}

/** When what was resent of a message expires, and when operators acted on it. */
export function laterEndsOf(
  { deliveries }: Tables,
  messageSeq: number,
): (EpochMs | undefined)[] {
  return deliveries
    .list()
    .filter((row) => row.messageSeq === messageSeq)
    .flatMap(({ expiresAt, actions }) => [
      expiresAt,
      ...actions.map(({ at }) => at),
    ]);
}
