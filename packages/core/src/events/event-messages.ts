/**
 * Writes the messages by which a durable consumer tells what it read: to the
 * status URL of a message, and to the event topic of a project.
 */

import type { MessageId, NewId, ProjectId } from "../ids.ts";
import { lastExpiryOf, type MessageLives } from "../messages/default-life.ts";
import type {
  MessageAttribute,
  MessageTopic,
  NewMessage,
} from "../messages/message.ts";
import { isAttributeValue } from "../messages/message-attributes.ts";
import type {
  ChangeBatch,
  ChangeFeed,
  DeliveryChange,
  DeliveryHead,
  EventMessage,
  FeedPosition,
  MessageHead,
  Occurrence,
} from "../ports/change-feed.ts";
import type { Clock } from "../ports/clock.ts";
import type { SubscriptionStore } from "../ports/subscription-store.ts";
import type { TopicStore } from "../ports/topic-store.ts";
import { formatTopicUrn } from "../urn.ts";
import {
  deliveryFacts,
  type EventContext,
  type EventFacts,
  type EventType,
  eventTime,
  messageFacts,
  occurrenceFacts,
  topicOfDelivery,
} from "./event.ts";
import { eventTopicName } from "./event-topic.ts";
import { listRuns } from "./target-runs.ts";

/** Deliveries that one event message names at most. */
const maxDeliveriesPerEvent = 100;

export interface EventMessagePorts extends EventContext {
  readonly store: Pick<ChangeFeed, "findMessageHeads" | "listDeliveryHeads"> &
    Pick<TopicStore, "findTopic"> &
    Pick<SubscriptionStore, "countSubscriptions">;
  readonly clock: Clock;
  readonly newMessageId: NewId<MessageId>;
  readonly lives: MessageLives;
}

/** One event, before it is a message. */
interface Telling {
  readonly type: EventType;
  readonly facts: EventFacts;
  /** What filter policies choose by, besides the type. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a batch is told by. */
export interface BatchMessages {
  /** Of the batch. */
  readonly position: FeedPosition;
  readonly messages: readonly EventMessage[];
}

/** Answers the messages that tell these batches, for each in its order. */
export function createEventMessages(
  ports: EventMessagePorts,
): (batches: readonly ChangeBatch[]) => Promise<BatchMessages[]> {
  const { store, clock, newMessageId, lives, region } = ports;

  function toMessage(
    projectId: ProjectId,
    topic: MessageTopic,
    audience: "topic" | "direct",
    { type, facts, attributes }: Telling,
    batch: ChangeBatch,
  ): NewMessage {
    const createdAt = clock.now();
    const text = JSON.stringify({
      event: type,
      at: eventTime(batch.at),
      ...facts,
    });
    return {
      id: newMessageId(),
      projectId,
      audience,
      topic,
      subject: type,
      content: { kind: "event", text },
      // Values have no dots.
      attributes: Object.entries({
        event: type.replaceAll(".", "_"),
        ...attributes,
      }).flatMap(([name, value]): MessageAttribute[] =>
        isAttributeValue(value) ? [{ name, type: "STRING", value }] : [],
      ),
      createdAt,
      expiresAt: lastExpiryOf({ createdAt }, lives),
    };
  }

  function toStatusUrl(
    projectId: ProjectId,
    statusUrl: string,
    telling: Telling,
    batch: ChangeBatch,
  ): EventMessage {
    const topic = statusTopic(region, projectId);
    return {
      message: toMessage(projectId, topic, "direct", telling, batch),
      recipient: {
        protocol: statusUrl.startsWith("https:") ? "https" : "http",
        endpoint: statusUrl,
      },
    };
  }

  /** By topic and protocol, in parts. */
  async function tellingsOf(
    head: MessageHead,
    { state, runs }: DeliveryChange,
  ): Promise<Telling[]> {
    const deliveries = await store.listDeliveryHeads(head.seq, listRuns(runs));
    const tellings: Telling[] = [];
    for (const all of Map.groupBy(
      deliveries,
      ({ protocol, topicSeq }: DeliveryHead) => `${protocol} ${topicSeq}`,
    ).values()) {
      const [first] = all;
      if (first === undefined) continue;
      const { protocol } = first;
      const topic = topicOfDelivery(head, first);
      for (let n = 0; n < all.length; n += maxDeliveriesPerEvent) {
        const part = all.slice(n, n + maxDeliveriesPerEvent);
        tellings.push({
          type: `delivery.${state}`,
          facts: {
            ...messageFacts(head, topic),
            protocol,
            state,
            count: part.length,
            deliveries: part.map(({ protocol: _, ...it }) =>
              deliveryFacts(ports, head, topic, { ...it, protocol }),
            ),
          },
          attributes: {
            state,
            protocol,
            ...(topic && { topic: topic.name }),
          },
        });
      }
    }
    return tellings;
  }

  return async (batches) => {
    const seqs = new Set<number>();
    for (const { changes } of batches) {
      for (const change of changes) {
        if (change.kind === "deliveries") seqs.add(change.messageSeq);
        else if (change.ofMessage !== undefined) seqs.add(change.ofMessage);
      }
    }
    const heads = new Map<number, MessageHead>();
    for (const head of await store.findMessageHeads([...seqs])) {
      if (!head.isEvent) heads.set(head.seq, head);
    }

    const topics = new Map<ProjectId, Promise<MessageTopic | undefined>>();
    /** The project's event topic, if anybody is subscribed to it. */
    function topicOf(projectId: ProjectId): Promise<MessageTopic | undefined> {
      let found = topics.get(projectId);
      if (found === undefined) {
        found = findTopic(projectId);
        topics.set(projectId, found);
      }
      return found;
    }
    async function findTopic(
      projectId: ProjectId,
    ): Promise<MessageTopic | undefined> {
      const topic = await store.findTopic(projectId, eventTopicName);
      if (!topic) return undefined;
      const { seq, displayName, introduction } = topic;
      if ((await store.countSubscriptions(seq)) === 0) return undefined;
      const urn = formatTopicUrn({
        region,
        projectId,
        topicName: eventTopicName,
      });
      return { seq, urn, name: eventTopicName, displayName, introduction };
    }

    async function messagesOf(batch: ChangeBatch): Promise<EventMessage[]> {
      const messages: EventMessage[] = [];
      for (const change of batch.changes) {
        if (change.kind === "occurrence") {
          const { type, projectId, about, ofMessage } = change;
          const topic = await topicOf(projectId);
          const { statusUrl } =
            (ofMessage === undefined ? undefined : heads.get(ofMessage)) ?? {};
          if (!topic && statusUrl === undefined) continue;
          const facts = occurrenceFacts(ports, change);
          const telling = { type, facts, attributes: attributesOf(about) };
          if (statusUrl !== undefined) {
            messages.push(toStatusUrl(projectId, statusUrl, telling, batch));
          }
          if (!topic) continue;
          messages.push({
            message: toMessage(projectId, topic, "topic", telling, batch),
          });
          continue;
        }
        const head = heads.get(change.messageSeq);
        if (!head) continue;
        const { projectId, statusUrl } = head;
        const topic = await topicOf(projectId);
        if (!topic && statusUrl === undefined) continue;
        for (const telling of await tellingsOf(head, change)) {
          if (statusUrl !== undefined) {
            messages.push(toStatusUrl(projectId, statusUrl, telling, batch));
          }
          if (!topic) continue;
          messages.push({
            message: toMessage(projectId, topic, "topic", telling, batch),
          });
        }
      }
      return messages;
    }

    const all: BatchMessages[] = [];
    for (const batch of batches) {
      const { position } = batch;
      all.push({ position, messages: await messagesOf(batch) });
    }
    return all;
  };
}

/** What filter policies choose other occurrences by. */
function attributesOf(about: Occurrence["about"]): Telling["attributes"] {
  return Object.fromEntries(
    ["protocol", "provider", "keyword"].flatMap((name) => {
      const value = about[name];
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

/** What a status URL is told under; no topic of that number is ever there. */
function statusTopic(region: string, projectId: ProjectId): MessageTopic {
  return {
    seq: 0,
    urn: formatTopicUrn({ region, projectId, topicName: eventTopicName }),
    name: eventTopicName,
    displayName: "",
    introduction: "",
  };
}
