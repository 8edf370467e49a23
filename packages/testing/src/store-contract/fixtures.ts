/** Plausible topics, subscriptions and messages for the cases of a contract. */

import {
  addMs,
  type Delivery,
  type DirectRecipient,
  type EpochMs,
  type Lease,
  type MessageId,
  type MessageTemplate,
  type MessageTemplateId,
  type NewMessage,
  type NewMessageTemplate,
  type NewSubscription,
  type NewTopic,
  type ProjectId,
  type RangeOutcome,
  type Store,
  type SubscriberNotice,
  type Subscription,
  type SubscriptionId,
  subscriptionStatus,
  type Topic,
  type TopicId,
  toEpochMs,
} from "@carillon/core";
import { createCountingIds } from "../counting-ids.ts";

/** When everything in these tests begins. */
export const start = toEpochMs(Date.UTC(2026, 0, 1));

/** So many milliseconds after the start. */
export function after(ms: number): EpochMs {
  return addMs(start, ms);
}

/** Beyond any number of items in these tests. */
export const noQuota = 1_000_000;

export const everything = { offset: 0, limit: 1000 };

export const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
export const otherProjectId = "fedcba9876543210fedcba9876543210" as ProjectId;

/** A fresh id; later ones are greater. */
export const freshId = createCountingIds();

export function leaseOf(owner: string, leaseMs = 60_000): Lease {
  return { owner, leaseMs };
}

export async function addTopic(
  store: Store,
  topic: Partial<NewTopic> = {},
): Promise<Topic> {
  return (await store.createTopic(newTopic(topic), noQuota)).topic;
}

export function newTopic(topic: Partial<NewTopic> = {}): NewTopic {
  const id = freshId<TopicId>();
  return {
    id,
    projectId,
    name: `topic-${id.slice(-8)}`,
    displayName: "Orders",
    enterpriseProjectId: "0",
    pushPolicy: 0,
    introduction: "",
    accessPolicy: "",
    createdAt: start,
    updatedAt: start,
    ...topic,
  };
}

export async function addTemplate(
  store: Store,
  template: Partial<NewMessageTemplate> = {},
): Promise<MessageTemplate> {
  return await store.createTemplate(newTemplate(template), noQuota);
}

export function newTemplate(
  template: Partial<NewMessageTemplate> = {},
): NewMessageTemplate {
  const id = freshId<MessageTemplateId>();
  return {
    id,
    projectId,
    name: `template-${id.slice(-8)}`,
    protocol: "default",
    content: "Disk {disk} of {host} is full.",
    tagNames: ["disk", "host"],
    createdAt: start,
    updatedAt: start,
    ...template,
  };
}

/** A confirmed subscription, unless told otherwise. */
export async function addSubscription(
  store: Store,
  topic: Topic,
  subscription: Partial<NewSubscription> = {},
): Promise<Subscription> {
  const added = await store.addSubscription(
    newSubscription(topic, subscription),
    undefined,
    noQuota,
  );
  return added.subscription;
}

export async function addSubscriptions(
  store: Store,
  topic: Topic,
  count: number,
): Promise<Subscription[]> {
  const added: Subscription[] = [];
  for (let i = 0; i < count; i++) {
    added.push(await addSubscription(store, topic));
  }
  return added;
}

export function newSubscription(
  topic: Topic,
  subscription: Partial<NewSubscription> = {},
): NewSubscription {
  const id = freshId<SubscriptionId>();
  return {
    id,
    topicSeq: topic.seq,
    projectId: topic.projectId,
    protocol: "https",
    endpoint: `https://example.com/${id}`,
    remark: "",
    extension: {},
    status: subscriptionStatus.confirmed,
    createdAt: start,
    ...subscription,
  };
}

/** An unconfirmed subscription whose confirmation carries `token`. */
export async function addUnconfirmed(
  store: Store,
  topic: Topic,
  token: string,
  mail: Partial<SubscriberNotice> = {},
): Promise<Subscription> {
  const { subscription } = await store.addSubscription(
    newSubscription(topic, { status: subscriptionStatus.unconfirmed }),
    { ...mailOf(topic, "confirmation", token), ...mail },
    noQuota,
  );
  return subscription;
}

export function mailOf(
  topic: Topic,
  kind: "confirmation" | "unsubscription",
  token: string,
): SubscriberNotice {
  return {
    token,
    tokenExpiresAt: after(1000),
    message: messageTo(topic, {
      audience: "subscription",
      content: { kind, token },
    }),
  };
}

export function messageTo(
  topic: Topic,
  message: Partial<NewMessage> = {},
): NewMessage {
  return {
    id: freshId<MessageId>(),
    projectId: topic.projectId,
    audience: "topic",
    topic: {
      seq: topic.seq,
      urn: urnOf(topic),
      name: topic.name,
      displayName: topic.displayName,
      introduction: topic.introduction,
    },
    content: { kind: "text", text: "It was shipped." },
    createdAt: start,
    expiresAt: after(3_600_000),
    ...message,
  };
}

export function urnOf(topic: Topic): string {
  return `urn:smn:local:${topic.projectId}:${topic.name}`;
}

export function directMessage(message: Partial<NewMessage> = {}): NewMessage {
  return {
    id: freshId<MessageId>(),
    projectId,
    audience: "direct",
    content: { kind: "text", text: "Your code is 4711." },
    createdAt: start,
    expiresAt: after(3_600_000),
    ...message,
  };
}

/** Phone numbers to send to. */
export function phones(count: number, billable = false): DirectRecipient[] {
  return Array.from({ length: count }, (_, n) => ({
    protocol: "sms",
    endpoint: `+4915112345${String(n).padStart(3, "0")}`,
    billable,
  }));
}

/** A delivery that got through at the first attempt. */
export function delivered(
  messageSeq: number,
  target: number,
  outcome: Partial<RangeOutcome> = {},
): RangeOutcome {
  return {
    messageSeq,
    target,
    state: "delivered",
    attempts: 1,
    lastAttempt: { at: start, durationMs: 12, statusCode: 200 },
    ...outcome,
  };
}

/** An attempt that goes on when its range ends. */
export function underWay(
  messageSeq: number,
  target: number,
  lease: Lease,
): RangeOutcome {
  return { messageSeq, target, state: "sending", attempts: 0, lease };
}

/** A message to one phone, being sent by `a`. */
export async function claimOne(
  store: Store,
  { billable = false, leaseMs = 60_000 } = {},
) {
  const message = directMessage();
  await store.acceptDirectMessage(message, phones(1, billable));
  const [claim] = await store.claimDue(leaseOf("a", leaseMs), start, 1);
  if (!claim) throw new Error("The message is not due.");
  return { message, claim };
}

/** Accepts a message and fans it out with these outcomes, one per target. */
export async function fanOut(
  store: Store,
  topic: Topic,
  outcomes: (messageSeq: number) => readonly RangeOutcome[],
  message: NewMessage = messageTo(topic),
): Promise<number> {
  const { seq, range } = await store.acceptMessage(message, leaseOf("fan-out"));
  if (!range) throw new Error("The topic has nobody to send to.");
  await store.completeRange(range, outcomes(seq));
  return seq;
}

export async function countsOf(store: Store, message: NewMessage) {
  const report = await store.findMessage(message.projectId, message.id);
  return report?.counts;
}

export async function nextDueAt(store: Store) {
  return (await store.peekWork()).nextDueAt;
}

export async function hasRanges(store: Store) {
  return (await store.peekWork()).hasRanges;
}

export async function statesOf(store: Store, messageSeq: number) {
  const deliveries: readonly Delivery[] = await store.listDeliveries(
    messageSeq,
    { limit: 1000 },
  );
  return deliveries.map(({ state }) => state);
}
