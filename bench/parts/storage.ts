/**
 * Measures the embedded store by itself: how many messages it accepts, how fast
 * it writes and reads what fan-out needs, and how soon it is open. Run alone, it
 * prints a table.
 */

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addMs,
  createTimeOrderedIds,
  type FinishedRange,
  type MessageId,
  type NewMessage,
  type ProjectId,
  type RangeOutcome,
  type SubscriptionId,
  subscriptionStatus,
  systemClock,
  type Topic,
  type TopicId,
} from "@carillon/core";
import { openSqliteStore, type SqliteStore } from "@carillon/storage";

export interface StorageFigures {
  /** Messages per second, 64 callers at a time. */
  readonly acceptPerSecond: number;
  /** Share of the main thread's time that accepting took. */
  readonly acceptMainThreadLoad: number;
  /** Outcomes per second, written in ranges of 500. */
  readonly outcomesPerSecond: number;
  readonly outcomesMainThreadLoad: number;
  /** Due deliveries claimed per second, 500 at a time. */
  readonly claimsPerSecond: number;
  /** Recipients read per second, 500 at a time. */
  readonly recipientsPerSecond: number;
  /** Subscriptions added per second, 64 callers at a time. */
  readonly subscriptionsPerSecond: number;
  /** Opening a store in an empty folder, in milliseconds. */
  readonly openEmptyMs: number;
  readonly openAgainMs: number;
}

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const lease = { owner: "bench", leaseMs: 600_000, rangeSize: 500 };
const newId = createTimeOrderedIds(systemClock.now, (n) =>
  randomBytes(n).toString("hex"),
);

export async function benchStorage(parent = tmpdir()): Promise<StorageFigures> {
  const folder = await mkdtemp(join(parent, "carillon-bench-"));
  try {
    const openEmptyMs = await timeOpen(folder);
    const openAgainMs = await timeOpen(folder);
    await using store = await openSqliteStore({ folder });
    const topic = await createTopic(store);
    const subscribers = await measure(50_000, 64, (n) =>
      addSubscription(store, topic, n),
    );
    // First, while no other ranges wait to be claimed.
    const outcomes = await benchOutcomes(store, topic, 400);
    const accepted = await measure(100_000, 64, () =>
      store.acceptMessage(messageTo(topic), undefined),
    );
    return {
      acceptPerSecond: accepted.perSecond,
      acceptMainThreadLoad: accepted.mainThreadLoad,
      outcomesPerSecond: outcomes.perSecond * 500,
      outcomesMainThreadLoad: outcomes.mainThreadLoad,
      claimsPerSecond: await benchClaims(store, 100_000),
      recipientsPerSecond: await benchAudience(store, topic),
      subscriptionsPerSecond: subscribers.perSecond,
      openEmptyMs,
      openAgainMs,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Measured {
  readonly perSecond: number;
  readonly mainThreadLoad: number;
}

/** Calls `run` so many times, some at a time. */
async function measure(
  times: number,
  concurrency: number,
  run: (n: number) => Promise<unknown>,
): Promise<Measured> {
  let started = 0;
  const caller = async () => {
    while (started < times) await run(started++);
  };
  const load = performance.eventLoopUtilization();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, caller));
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    perSecond: times / seconds,
    mainThreadLoad: performance.eventLoopUtilization(load).utilization,
  };
}

async function timeOpen(folder: string): Promise<number> {
  const startedAt = performance.now();
  await using _store = await openSqliteStore({ folder });
  return performance.now() - startedAt;
}

async function benchOutcomes(store: SqliteStore, topic: Topic, ranges: number) {
  await store.acceptMessage(messageTo(topic), undefined);
  const work: FinishedRange[] = [];
  while (work.length < ranges) {
    const claimed = await store.claim(lease, {
      kinds: ["range"],
      limit: 1,
      rangeSize: lease.rangeSize,
    });
    for (const { range } of claimed.ranges) {
      work.push({ range, outcomes: outcomesOf(range) });
    }
    if (claimed.ranges.length === 0) throw new Error("The topic is too small.");
  }
  return measure(ranges, 4, async (n) => {
    const item = work[n];
    if (item) await store.finish(item);
  });
}

function outcomesOf(range: {
  readonly messageSeq: number;
  readonly afterTarget: number;
}): RangeOutcome[] {
  return Array.from({ length: 500 }, (_, n) => ({
    messageSeq: range.messageSeq,
    target: range.afterTarget + 1 + n,
    state: "delivered",
    attempts: 1,
    lastAttempt: { at: systemClock.now(), durationMs: n % 40, statusCode: 200 },
  }));
}

async function benchClaims(
  store: SqliteStore,
  deliveries: number,
): Promise<number> {
  const recipients = Array.from({ length: deliveries }, (_, n) => ({
    protocol: "sms" as const,
    endpoint: `+49151${10_000_000 + n}`,
    billable: true,
  }));
  const { topic: _, ...message } = messageTo(undefined);
  await store.acceptDirectMessage(message, recipients);
  const claims = await measure(deliveries / 500, 1, () =>
    store.claim(lease, { kinds: ["delivery"], limit: 500 }),
  );
  return claims.perSecond * 500;
}

async function benchAudience(store: SqliteStore, topic: Topic) {
  const { range } = await store.acceptMessage(messageTo(topic), lease);
  if (!range) throw new Error("The topic has nobody.");
  let count = 0;
  const startedAt = performance.now();
  for (let pass = 0; pass < 4; pass++) {
    for (let after = 0; ; ) {
      const recipients = await store.readAudience(
        { ...range, afterTarget: after },
        500,
      );
      const last = recipients.at(-1);
      if (!last) break;
      count += recipients.length;
      after = last.target;
    }
  }
  return count / ((performance.now() - startedAt) / 1000);
}

async function createTopic(store: SqliteStore): Promise<Topic> {
  const now = systemClock.now();
  const { topic } = await store.createTopic(
    {
      id: newId() as TopicId,
      projectId,
      name: "orders",
      displayName: "Orders",
      enterpriseProjectId: "0",
      pushPolicy: 0,
      introduction: "",
      accessPolicy: "",
      createdAt: now,
      updatedAt: now,
    },
    10,
  );
  return topic;
}

function addSubscription(store: SqliteStore, topic: Topic, n: number) {
  return store.addSubscription(
    {
      id: newId() as SubscriptionId,
      topicSeq: topic.seq,
      projectId,
      protocol: "https",
      endpoint: `https://host-${n % 1000}.example.com/hooks/${n}`,
      remark: "",
      extension: {},
      status: subscriptionStatus.confirmed,
      createdAt: systemClock.now(),
    },
    undefined,
    Number.MAX_SAFE_INTEGER,
  );
}

function messageTo(topic: Topic | undefined): NewMessage {
  const createdAt = systemClock.now();
  return {
    id: newId() as MessageId,
    projectId,
    audience: topic ? "topic" : "direct",
    ...(topic && {
      topic: {
        seq: topic.seq,
        urn: `urn:smn:local:${projectId}:${topic.name}`,
        name: topic.name,
        displayName: topic.displayName,
        introduction: topic.introduction,
      },
    }),
    subject: "Order 4711 was shipped",
    content: { kind: "text", text: "It arrives on Tuesday. ".repeat(10) },
    createdAt,
    expiresAt: addMs(createdAt, 3_600_000),
  };
}

if (import.meta.main) {
  const figures = await benchStorage();
  for (const [name, figure] of Object.entries(figures)) {
    const digits = figure < 10 ? 2 : 0;
    console.log(
      name.padEnd(26),
      figure
        .toLocaleString("en", { maximumFractionDigits: digits })
        .padStart(12),
    );
  }
}
