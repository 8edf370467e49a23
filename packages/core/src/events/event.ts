/**
 * Events as they are told: their names and their JSON, the same over the stream,
 * to status URLs and to the event topic.
 */

import { type SubscriptionId, toDeliveryId } from "../ids.ts";
import {
  type DeliveryState,
  deliveryStates,
  isSettled,
} from "../messages/delivery-state.ts";
import {
  type DeliveryHead,
  type MessageHead,
  type Occurrence,
  type OccurrenceType,
  occurrenceTypes,
  type TopicHead,
} from "../ports/change-feed.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";
import { formatSubscriptionUrn, formatTopicUrn } from "../urn.ts";

/** The `type` of an event, as its receivers and filters name it. */
export type EventType = `delivery.${DeliveryState}` | OccurrenceType;

/** Every event there is; of deliveries the states in which the engine is done. */
export const eventTypes: readonly EventType[] = [
  ...deliveryStates
    .filter(isSettled)
    .map((state) => `delivery.${state}` as const),
  ...occurrenceTypes,
];

/** Members of an event's JSON. */
export type EventFacts = Readonly<Record<string, string | number | object>>;

/**
 * What events of a message's deliveries say of it.
 *
 * @param topic the one that they belong to
 */
export function messageFacts(
  { id }: Pick<MessageHead, "id">,
  topic: TopicHead | undefined,
): EventFacts {
  return { messageId: id, ...(topic && { topicUrn: topic.urn }) };
}

/** The topic that a delivery belongs to; of a direct message none. */
export function topicOfDelivery(
  { topic, topics }: Pick<MessageHead, "topic" | "topics">,
  { topicSeq }: Pick<DeliveryHead, "topicSeq">,
): TopicHead | undefined {
  return topics ? topics.find(({ seq }) => seq === topicSeq) : topic;
}

/** What it takes to tell of topics and endpoints. */
export interface EventContext {
  readonly region: string;
  readonly protocols: Pick<Protocols, "maskSecrets">;
}

/** What an event says of one delivery, by whose id it can be acted on. */
export function deliveryFacts(
  { protocols }: Pick<EventContext, "protocols">,
  { id }: Pick<MessageHead, "id">,
  topic: TopicHead | undefined,
  { subscriptionId, topicSeq: _, endpoint, receipt, ...delivery }: DeliveryHead,
): EventFacts {
  return {
    deliveryId: toDeliveryId(id, delivery.target),
    ...delivery,
    ...(receipt && { receipt: { ...receipt, at: eventTime(receipt.at) } }),
    endpoint: protocols.maskSecrets(delivery.protocol, endpoint),
    ...(topic &&
      subscriptionId !== undefined && {
        subscriptionUrn: formatSubscriptionUrn(topic.urn, subscriptionId),
      }),
  };
}

/** What an event says of anything else; subscriptions by their URNs. */
export function occurrenceFacts(
  { region, protocols }: EventContext,
  { projectId, about }: Occurrence,
): EventFacts {
  const { topicName, subscriptionId, ...rest } = about;
  const { protocol, endpoint } = rest;
  const facts = {
    ...rest,
    ...(typeof protocol === "string" && {
      endpoint: protocols.maskSecrets(protocol, String(endpoint)),
    }),
  };
  if (typeof topicName !== "string") return facts;
  const topicUrn = formatTopicUrn({ region, projectId, topicName });
  // What a store wrote of a subscription.
  const id = subscriptionId as SubscriptionId;
  return {
    topicUrn,
    subscriptionUrn: formatSubscriptionUrn(topicUrn, id),
    ...facts,
  };
}

/** RFC 3339 in UTC, with milliseconds. */
export function eventTime(at: EpochMs): string {
  return new Date(at).toISOString();
}
