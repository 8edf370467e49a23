/** Stores with a topic, for tests of what is SQLite's own. */

import {
  type AudienceRange,
  type Clock,
  type FencedOutcome,
  type Lease,
  type MessageId,
  type NewMessage,
  type ProjectId,
  type RangeLease,
  type RangeOutcome,
  type SubscriptionId,
  type Topic,
  type TopicId,
  toEpochMs,
} from "@carillon/core";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";

export const projectId = "0".repeat(32) as ProjectId;

export const start = toEpochMs(Date.UTC(2026, 0, 1));
let lastId = 0;

export function freshId(): string {
  return (++lastId).toString(16).padStart(32, "0");
}

/** A store with a topic that has so many confirmed subscriptions. */
export async function openWithTopic(
  folder: string,
  subscribers: number,
  options: { readonly clock?: Clock } = {},
) {
  const store = await openSqliteStore({ folder, ...options });
  const topic = await addTopic(store);
  const targets: number[] = [];
  for (let n = 0; n < subscribers; n++) {
    targets.push(await addSubscription(store, topic));
  }
  return { store, topic, targets };
}

export async function addTopic(store: SqliteStore): Promise<Topic> {
  const id = freshId() as TopicId;
  const { topic } = await store.createTopic(
    {
      id,
      projectId,
      name: `topic-${id.slice(-8)}`,
      displayName: "",
      enterpriseProjectId: "0",
      pushPolicy: 0,
      introduction: "",
      accessPolicy: "",
      createdAt: start,
      updatedAt: start,
    },
    1_000_000,
  );
  return topic;
}

/** Answers its number. */
export async function addSubscription(
  store: SqliteStore,
  topic: Topic,
): Promise<number> {
  const id = freshId() as SubscriptionId;
  const { subscription } = await store.addSubscription(
    {
      id,
      topicSeq: topic.seq,
      projectId,
      protocol: "https",
      endpoint: `https://example.com/${id}`,
      remark: "",
      extension: {},
      status: 1,
      createdAt: start,
    },
    undefined,
    1_000_000,
  );
  return subscription.seq;
}

export function messageTo(topic: Topic): NewMessage {
  return {
    id: freshId() as MessageId,
    projectId,
    audience: "topic",
    topic: { ...topic, urn: `urn:smn:local:${projectId}:${topic.name}` },
    content: { kind: "text", text: "Hello" },
    createdAt: start,
    expiresAt: start,
  };
}

/** Accepts a message to a topic and claims its first range. */
export async function acceptClaimed(
  store: SqliteStore,
  topic: Topic,
  lease = leaseOf("a", 1000),
) {
  const message = messageTo(topic);
  const { seq, range } = await store.acceptMessage(message, lease);
  if (!range) throw new Error("The topic has nobody to send to.");
  return { message, messageSeq: seq, range };
}

/** What it holds is not cut. */
export function leaseOf(owner: string, leaseMs = 60_000): RangeLease {
  return { owner, leaseMs, rangeSize: 1000 };
}

export async function claimRanges(
  store: SqliteStore,
  lease: Lease,
  limit: number,
) {
  return (await store.claim(lease, { kinds: ["range"], limit })).ranges;
}

export async function claimDue(
  store: SqliteStore,
  lease: Lease,
  limit: number,
) {
  return (await store.claim(lease, { kinds: ["delivery"], limit })).deliveries;
}

export async function completeRange(
  store: SqliteStore,
  range: AudienceRange,
  outcomes: readonly RangeOutcome[],
) {
  return await store.finish({ range, outcomes });
}

export async function recordOutcomes(
  store: SqliteStore,
  deliveries: readonly FencedOutcome[],
) {
  return (await store.finish({ deliveries })).refused;
}

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
    lastAttempt: { at: start, durationMs: 1, statusCode: 200 },
    ...outcome,
  };
}
