/** Plausible topics, subscriptions and messages for the cases of a contract. */

import {
  type AudienceRange,
  addMs,
  type ClaimedDelivery,
  type ClaimRequest,
  type Delivery,
  type DirectRecipient,
  type EpochMs,
  type FencedOutcome,
  type Lease,
  type MessageId,
  type MessageTemplate,
  type MessageTemplateId,
  type NewMessage,
  type NewMessageTemplate,
  type NewSubscription,
  type NewTopic,
  type ProjectId,
  type RangeLease,
  type RangeOutcome,
  type Store,
  type SubscriberNotice,
  type Subscription,
  type SubscriptionId,
  type SubscriptionSignature,
  subscriptionStatus,
  type Topic,
  type TopicId,
  toEpochMs,
} from "@carillon/core";
import { createCountingIds } from "../counting-ids.ts";
import type { ManualClock } from "../manual-clock.ts";

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

export function leaseOf(
  owner: string,
  leaseMs = 60_000,
  rangeSize = 1000,
): RangeLease {
  return { owner, leaseMs, rangeSize };
}

/** Ranges that are due and that nobody holds. */
export async function claimRanges(
  store: Store,
  lease: Lease,
  limit: number,
  request: Partial<ClaimRequest> = {},
) {
  const kinds = ["range"] as const;
  const { ranges } = await store.claim(lease, { kinds, limit, ...request });
  return ranges;
}

/** Deliveries that are due at `now`, until which it waits. */
export async function claimDue(
  store: Store,
  clock: ManualClock,
  lease: Lease,
  now: EpochMs,
  limit: number,
) {
  clock.advance(Math.max(0, now - clock.now()));
  const kinds = ["delivery"] as const;
  return (await store.claim(lease, { kinds, limit })).deliveries;
}

export async function completeRange(
  store: Store,
  range: AudienceRange,
  outcomes: readonly RangeOutcome[],
) {
  return await store.finish({ range, outcomes });
}

/** Answers those that the store refused. */
export async function recordOutcomes(
  store: Store,
  deliveries: readonly FencedOutcome[],
) {
  return (await store.finish({ deliveries })).refused;
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

export const hmac: SubscriptionSignature = {
  scheme: "standard-webhooks",
  keys: [{ number: 1, algorithm: "hmac-sha256" }],
  lastKeyNumber: 1,
};

/** The same after a rotation. */
export const rotated: SubscriptionSignature = {
  scheme: "standard-webhooks",
  keys: [
    { number: 2, algorithm: "ed25519" },
    { number: 1, algorithm: "hmac-sha256", until: after(1000) },
  ],
  lastKeyNumber: 2,
};

/** An unconfirmed subscription, to which a confirmation is queued. */
export async function addUnconfirmed(
  store: Store,
  topic: Topic,
  mail: Partial<SubscriberNotice> = {},
): Promise<Subscription> {
  const { subscription } = await store.addSubscription(
    newSubscription(topic, { status: subscriptionStatus.unconfirmed }),
    { ...mailOf(topic, "confirmation"), ...mail },
    noQuota,
  );
  return subscription;
}

export function mailOf(
  topic: Topic,
  kind: "confirmation" | "unsubscription",
): SubscriberNotice {
  const { content: _, ...message } = messageTo(topic, {
    audience: "subscription",
  });
  return { kind, expiresAt: after(1000), message };
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
  const lastAttempt = { at: start, durationMs: 0 };
  return {
    messageSeq,
    target,
    state: "sending",
    attempts: 0,
    lastAttempt,
    lease,
  };
}

/** A message to one phone, being sent by `a`; its intent is on record. */
export async function claimOne(
  store: Store,
  clock: ManualClock,
  { billable = false, leaseMs = 60_000 } = {},
) {
  const message = directMessage();
  await store.acceptDirectMessage(message, phones(1, billable));
  const [claim] = await claimDue(store, clock, leaseOf("a", leaseMs), start, 1);
  if (!claim) throw new Error("The message is not due.");
  if (billable) await intend(store, claim);
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
  await completeRange(store, range, outcomes(seq));
  return seq;
}

export async function countsOf(store: Store, message: NewMessage) {
  const report = await store.findMessage(message.projectId, message.id);
  return report?.counts;
}

export async function nextDueAt(store: Store, clock: ManualClock) {
  const { delivery } = await store.nextDue();
  return delivery === undefined ? undefined : addMs(clock.now(), delivery);
}

export async function hasRanges(store: Store) {
  return (await store.nextDue()).range !== undefined;
}

export async function statesOf(store: Store, messageSeq: number) {
  const deliveries: readonly Delivery[] = await store.listDeliveries(
    messageSeq,
    { limit: 1000 },
  );
  return deliveries.map(({ state }) => state);
}

/** Records that an attempt through `provider` begins. */
export async function intend(
  store: Store,
  { messageSeq, recipient: { target }, fence }: ClaimedDelivery,
  provider = "loopback",
  externalId?: string,
): Promise<boolean> {
  const intent = {
    messageSeq,
    target,
    fence,
    provider,
    at: after(1),
    ...(externalId !== undefined && { externalId }),
  };
  return (await store.recordIntents([intent]))[0] === true;
}
