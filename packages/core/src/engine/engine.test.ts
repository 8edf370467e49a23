import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mock, test } from "node:test";
import { ManualClock, MemoryStore } from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import type { MessageId, ProjectId, SubscriptionId } from "../ids.ts";
import type {
  AttemptResult,
  Channel,
  PreparedMessage,
  Recipient,
} from "../ports/channel.ts";
import type { Dispatcher, WorkHint } from "../ports/dispatcher.ts";
import { silentLogger } from "../ports/logger.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { createTopics } from "../topics/topics.ts";
import { createEngine, type Engine, type EngineOptions } from "./engine.ts";
import { smnRetryPolicy } from "./retry-policy.ts";

const projectId = "1".repeat(32) as ProjectId;
const topicUrn = `urn:smn:local:${projectId}:alerts`;
const hour = 3_600_000;

type Script = (
  recipient: Recipient,
  nth: number,
) => AttemptResult | Promise<AttemptResult>;

/** A channel that answers what a script says, and remembers its calls. */
class ScriptedChannel implements Channel {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  readonly billable: boolean;
  readonly timeoutMs = 5000;
  readonly calls: string[] = [];
  script: Script = () => ({ outcome: "delivered", statusCode: 200 });

  constructor(name: string, protocols: readonly Protocol[], billable = false) {
    this.name = name;
    this.protocols = protocols;
    this.billable = billable;
  }

  prepare(): PreparedMessage {
    return {
      deliver: async (recipient) => {
        this.calls.push(recipient.endpoint);
        const nth = this.calls.filter((e) => e === recipient.endpoint).length;
        return await this.script(recipient, nth);
      },
    };
  }

  async close(): Promise<void> {}
}

/** Tells listeners at once, or loses all hints. */
function testDispatcher(lossy = false): Dispatcher {
  const listeners = new Set<(hint: WorkHint) => void>();
  return {
    announce(hint) {
      if (lossy) return;
      queueMicrotask(() => {
        for (const listener of listeners) listener(hint);
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {},
  };
}

interface SetUpOptions {
  readonly subscribers?: number;
  readonly lossy?: boolean;
  readonly engine?: Partial<EngineOptions>;
}

async function setUp(options: SetUpOptions = {}) {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const newId = () => randomBytes(16).toString("hex");
  const topics = createTopics({ store, clock, newId }, { region: "local" });
  const http = new ScriptedChannel("http", ["http", "https"]);
  const sms = new ScriptedChannel("sms", ["sms"], true);
  const start = async () => {
    const engine = createEngine(
      {
        store,
        topics,
        dispatcher: testDispatcher(options.lossy),
        channels: [http, sms],
        clock,
        logger: silentLogger,
        random: () => 0,
        newId,
        newMessageId: newId,
      },
      { retryPolicy: smnRetryPolicy, ...options.engine },
    );
    await engine.recover();
    await engine.start();
    return engine;
  };
  const { topic } = await topics.create(projectId, { name: "alerts" });
  const subscribe = (protocol: Protocol, endpoint: string) =>
    store.addSubscription(
      {
        id: newId() as SubscriptionId,
        topicSeq: topic.seq,
        projectId,
        protocol,
        endpoint,
        remark: "",
        extension: {},
        status: 1,
        createdAt: clock.now(),
      },
      undefined,
      1_000_000,
    );
  for (let i = 0; i < (options.subscribers ?? 0); i++) {
    await subscribe("http", `http://sink.test/${i}`);
  }
  const report = async (id: MessageId) => {
    const found = await store.findMessage(projectId, id);
    assert.ok(found);
    return found;
  };
  return { clock, store, http, sms, start, subscribe, report };
}

/** Lets all that is ready run. */
async function turns(n = 30): Promise<void> {
  for (let i = 0; i < n; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Turns, moving the clock on as timers fall due, for `ms` of its time. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  const end = clock.now() + ms;
  for (;;) {
    await turns();
    const next = clock.nextTimerAt;
    if (next === undefined || next > end) break;
    clock.advance(Math.max(0, next - clock.now()));
  }
  clock.advance(Math.max(0, end - clock.now()));
  await turns();
}

const deferred: AttemptResult = {
  outcome: "deferred",
  errorClass: "http_status",
  error: "503 Service Unavailable",
  statusCode: 503,
};

async function publish(engine: Engine): Promise<MessageId> {
  return await engine.publisher.publish(projectId, topicUrn, {
    subject: "disk",
    text: "Disk is full",
  });
}

test("fans a message out to every subscriber, chunk by chunk", async () => {
  const { start, http, report } = await setUp({
    subscribers: 1234,
    engine: { chunkSize: 100 },
  });
  const engine = await start();
  const id = await publish(engine);
  await turns(200);
  assert.equal(http.calls.length, 1234);
  assert.equal(new Set(http.calls).size, 1234);
  const { counts, fannedOut } = await report(id);
  assert.deepEqual(
    { counts, fannedOut },
    {
      counts: { delivered: 1234 },
      fannedOut: true,
    },
  );
  assert.equal(engine.status().accepted, 1);
  assert.equal(engine.status().outcomes.delivered, 1234);
});

test("leaves out those whose filter policies or protocol do not match", async () => {
  const { start, http, sms, subscribe, report, store } = await setUp();
  const levels: Readonly<Record<string, readonly string[]>> = {
    "http://sink.test/high": ["high", "highest"],
    "http://sink.test/low": ["low"],
    "http://sink.test/any": [],
  };
  for (const [endpoint, stringEquals] of Object.entries(levels)) {
    const { subscription } = await subscribe("http", endpoint);
    await store.updateSubscription(projectId, "alerts", subscription.id, {
      filterPolicies:
        stringEquals.length === 0 ? [] : [{ name: "level", stringEquals }],
    });
  }
  await subscribe("sms", "+4915112345678");
  const engine = await start();
  const id = await engine.publisher.publish(projectId, topicUrn, {
    text: "Disk is full",
    attributes: [
      { name: "level", type: "STRING", value: "high" },
      { name: "smn_protocol", type: "PROTOCOL", value: ["http"] },
    ],
  });
  await turns();
  assert.deepEqual(http.calls.toSorted(), [
    "http://sink.test/any",
    "http://sink.test/high",
  ]);
  assert.deepEqual(sms.calls, []);
  const { message, counts } = await report(id);
  assert.deepEqual(counts, { delivered: 2, filtered: 2 });
  assert.equal(engine.status().outcomes.filtered, 2);
  const filtered = await store.listDeliveries(message.seq, {
    limit: 10,
    state: "filtered",
  });
  assert.deepEqual(
    filtered.map(({ endpoint, attemptCount, attempts }) => [
      endpoint,
      attemptCount,
      attempts[0]?.errorClass,
      attempts[0]?.error,
    ]),
    [
      [
        "http://sink.test/low",
        0,
        "filtered",
        "The message's attribute level is none of: low.",
      ],
      [
        "+4915112345678",
        0,
        "filtered",
        "The message is meant for other protocols.",
      ],
    ],
  );
});

test("a message without attributes passes no filter policy", async () => {
  const { start, http, subscribe, report, store } = await setUp();
  const { subscription } = await subscribe("http", "http://sink.test/");
  await store.updateSubscription(projectId, "alerts", subscription.id, {
    filterPolicies: [{ name: "level", stringEquals: ["high"] }],
  });
  const id = await publish(await start());
  await turns();
  assert.deepEqual(http.calls, []);
  assert.deepEqual((await report(id)).counts, { filtered: 1 });
});

test("retries on schedule and keeps every attempt", async () => {
  const { start, http, report, clock, store } = await setUp({ subscribers: 1 });
  http.script = (_, nth) =>
    nth < 4 ? deferred : { outcome: "delivered", statusCode: 200 };
  const engine = await start();
  const id = await publish(engine);
  await turns();
  assert.deepEqual((await report(id)).counts, { retrying: 1 });
  await pass(clock, 4900);
  assert.equal(http.calls.length, 1);
  await pass(clock, 200);
  assert.equal(http.calls.length, 2);
  await pass(clock, 120_000);
  const { message, counts } = await report(id);
  assert.deepEqual(counts, { delivered: 1 });
  const [delivery] = await store.listDeliveries(message.seq, { limit: 10 });
  assert.equal(delivery?.attemptCount, 4);
  assert.deepEqual(
    delivery?.attempts.map(({ statusCode }) => statusCode),
    [503, 503, 503, 200],
  );
});

test("gives up after the last retry and says why", async () => {
  const { start, http, report, clock, store } = await setUp({ subscribers: 1 });
  http.script = () => deferred;
  const engine = await start();
  const id = await publish(engine);
  await pass(clock, 2 * hour);
  const { message, counts } = await report(id);
  assert.deepEqual(counts, { failed: 1 });
  assert.equal(http.calls.length, 7);
  const [delivery] = await store.listDeliveries(message.seq, { limit: 10 });
  assert.match(delivery?.attempts.at(-1)?.error ?? "", /503/);
});

test("a receiver's no is final at once", async () => {
  const { start, http, report, clock } = await setUp({ subscribers: 1 });
  http.script = () => ({
    outcome: "rejected",
    errorClass: "http_status",
    error: "404 Not Found",
    statusCode: 404,
  });
  const id = await publish(await start());
  await pass(clock, hour);
  assert.deepEqual((await report(id)).counts, { rejected: 1 });
  assert.equal(http.calls.length, 1);
});

test("a slow receiver is deferred and its late answer counts", async () => {
  const { start, http, report, clock } = await setUp({ subscribers: 2 });
  const late = Promise.withResolvers<AttemptResult>();
  http.script = ({ endpoint }) =>
    endpoint.endsWith("/0") ? late.promise : { outcome: "delivered" };
  const id = await publish(await start());
  await pass(clock, 300);
  assert.deepEqual((await report(id)).counts, { sending: 1, delivered: 1 });
  late.resolve({ outcome: "delivered", statusCode: 200 });
  await turns();
  assert.deepEqual((await report(id)).counts, { delivered: 2 });
  await pass(clock, hour);
  assert.equal(http.calls.length, 2);
});

test("one hanging endpoint does not hold up a thousand others", async () => {
  const { start, http, report, clock } = await setUp({ subscribers: 1000 });
  http.script = ({ endpoint }) =>
    endpoint.endsWith("/500")
      ? new Promise(() => {})
      : { outcome: "delivered" };
  const engine = await start();
  const before = clock.now();
  const ids = [];
  for (let i = 0; i < 20; i++) ids.push(await publish(engine));
  await pass(clock, 300);
  for (const id of ids) {
    assert.equal((await report(id)).counts.delivered, 999);
  }
  assert.ok(clock.now() - before <= 300);
});

test("records the intent before an attempt that costs money", async () => {
  const { start, sms, subscribe, report, store } = await setUp();
  await subscribe("sms", "+15550100001");
  const states: unknown[] = [];
  sms.script = async () => {
    const [message] = await store.listMessages(projectId, { limit: 1 });
    states.push(message?.counts);
    return { outcome: "accepted", externalId: "7", provider: "p", segments: 1 };
  };
  const engine = await start();
  const id = await publish(engine);
  await turns();
  assert.deepEqual(states, [{ sending: 1 }]);
  assert.deepEqual((await report(id)).counts, { sent: 1 });
  await engine.receive({
    provider: "p",
    externalId: "7",
    event: "deliver",
    at: 0,
  });
  assert.deepEqual((await report(id)).counts, { delivered: 1 });
});

test("a receipt that comes before its send resolves is not lost", async () => {
  const { start, sms, report } = await setUp();
  const engine = await start();
  sms.script = async () => {
    await engine.receive({
      provider: "p",
      externalId: "9",
      event: "deliver",
      at: 0,
    });
    return { outcome: "accepted", externalId: "9", provider: "p" };
  };
  const id = await engine.publisher.sendSms(projectId, "+15550100001", "hi");
  await turns();
  assert.deepEqual((await report(id)).counts, { delivered: 1 });
});

test("a crash within a chunk tries its recipients again", async () => {
  const { start, http, report, clock } = await setUp({ subscribers: 10 });
  http.script = () => new Promise(() => {});
  // The first engine never hears an answer: as if it died in the middle.
  const id = await publish(await start());
  await turns();
  assert.equal(http.calls.length, 10);
  http.script = () => ({ outcome: "delivered" });
  await start();
  await pass(clock, 1000);
  assert.equal(http.calls.length, 20);
  assert.deepEqual((await report(id)).counts, { delivered: 10 });
});

test("a crash within a billable attempt makes it unknown, never repeated", async () => {
  const { start, sms, report, clock } = await setUp();
  sms.script = () => new Promise(() => {});
  const dying = await start();
  const id = await dying.publisher.sendSms(projectId, "+15550100001", "hi");
  await turns();
  assert.equal(sms.calls.length, 1);
  await start();
  await pass(clock, 30 * 60_000);
  assert.equal(sms.calls.length, 1);
  assert.deepEqual((await report(id)).counts, { unknown: 1 });
});

test("everything arrives though every hint is lost", async () => {
  const { start, http, report, clock } = await setUp({
    subscribers: 300,
    lossy: true,
    engine: { chunkSize: 50 },
  });
  http.script = (_, nth) => (nth === 1 ? deferred : { outcome: "delivered" });
  const engine = await start();
  const id = await publish(engine);
  await pass(clock, 60_000);
  assert.deepEqual((await report(id)).counts, { delivered: 300 });
});

test("a disk that is full for a while costs no second attempt", async () => {
  const { start, http, report, clock, store } = await setUp({
    subscribers: 50,
  });
  const complete = store.completeChunk.bind(store);
  let failures = 3;
  mock.method(
    store,
    "completeChunk",
    async (...args: Parameters<typeof complete>) => {
      if (failures-- > 0) throw new CarillonError("STORAGE_UNAVAILABLE");
      return await complete(...args);
    },
  );
  const id = await publish(await start());
  await pass(clock, 10_000);
  assert.equal(http.calls.length, 50);
  assert.deepEqual((await report(id)).counts, { delivered: 50 });
});

test("a message accepted under overload is delivered later", async () => {
  const { start, http, report, clock } = await setUp({ subscribers: 1 });
  const gate = Promise.withResolvers<AttemptResult>();
  http.script = () => gate.promise;
  const engine = await start();
  const ids = [];
  for (let i = 0; i < 600; i++) ids.push(await publish(engine));
  gate.resolve({ outcome: "delivered" });
  http.script = () => ({ outcome: "delivered" });
  await pass(clock, 30_000);
  for (const id of ids) {
    assert.deepEqual((await report(id)).counts, { delivered: 1 });
  }
});

test("a message that expires before its turn says so", async () => {
  const { start, http, report, clock } = await setUp({ subscribers: 1 });
  http.script = () => deferred;
  const id = await publish(await start());
  await turns();
  clock.jump(3 * hour);
  await pass(clock, 6000);
  assert.deepEqual((await report(id)).counts, { expired: 1 });
  assert.equal(http.calls.length, 1);
});

test("draining finishes what is under way and accepts nothing more", async () => {
  const { start, http, report } = await setUp({ subscribers: 3 });
  const gate = Promise.withResolvers<AttemptResult>();
  http.script = () => gate.promise;
  const engine = await start();
  const id = await publish(engine);
  await turns();
  const drained = engine.drain(8000);
  await assert.rejects(publish(engine), { code: "SHUTTING_DOWN" });
  gate.resolve({ outcome: "delivered" });
  await drained;
  assert.deepEqual((await report(id)).counts, { delivered: 3 });
});

test("draining ends at its deadline though a receiver hangs", async () => {
  const { start, http, clock } = await setUp({ subscribers: 1 });
  http.script = () => new Promise(() => {});
  const engine = await start();
  await publish(engine);
  await turns();
  const drained = engine.drain(8000);
  await pass(clock, 8000);
  await drained;
});

test("bad messages are refused and nothing is kept", async () => {
  const { start, store } = await setUp();
  const { publisher } = await start();
  const bad: readonly [string, object, string][] = [
    ["alerts", { text: "x" }, "TOPIC_URN_INVALID"],
    [`${topicUrn}x`, { text: "x" }, "TOPIC_NOT_FOUND"],
    [topicUrn, {}, "MESSAGE_INVALID"],
    [topicUrn, { text: "x", subject: "s".repeat(513) }, "SUBJECT_INVALID"],
    [topicUrn, { structure: "{}" }, "MESSAGE_STRUCTURE_INVALID"],
    [topicUrn, { text: "x", timeToLive: "soon" }, "TIME_TO_LIVE_INVALID"],
  ];
  for (const [urn, request, code] of bad) {
    await assert.rejects(publisher.publish(projectId, urn, request), { code });
  }
  const foreign = topicUrn.replaceAll("1".repeat(32), "2".repeat(32));
  await assert.rejects(publisher.publish(projectId, foreign, { text: "x" }), {
    code: "TOPIC_NOT_FOUND",
  });
  assert.deepEqual(await store.listMessages(projectId, { limit: 10 }), []);
});
