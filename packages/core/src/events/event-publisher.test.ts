import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  createCountingIds,
  type FailurePlan,
  failing,
  interceptCalls,
  ManualClock,
  MemoryStore,
} from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import type { MessageId, ProjectId } from "../ids.ts";
import type { ChangePage, EventMessage } from "../ports/change-feed.ts";
import { type LogFields, silentLogger } from "../ports/logger.ts";
import type { Store } from "../ports/store.ts";
import { addMs } from "../time.ts";
import { EventPublisher, maxEventsPerWrite } from "./event-publisher.ts";

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const statusUrl = "https://example.com/status";
const hourMs = 3_600_000;

test("tells the status URL of each message, once", async (t) => {
  const { run, send, told, lines } = await setUp(t);
  const ids = [await send(), await send()];
  await run();
  await run();
  assert.deepEqual(await told(), ids);
  assert.deepEqual(lines, []);
});

test("leaves out what cannot be read, and says so once", async (t) => {
  const { run, send, told, lines } = await setUp(t, { unreadable: "2" });
  const [a, , c] = [await send(), await send(), await send()];
  await run();
  assert.deepEqual(await told(), [a, c]);
  assert.deepEqual(lines, [["change_unreadable", { position: "2" }]]);
});

test("leaves out what can never be told, and tells what comes with it", async (t) => {
  for (const method of ["findMessageHeads", "listDeliveryHeads"] as const) {
    const plan: FailurePlan = {
      [method]: {
        error: new Error("damaged"),
        only: (seqs: unknown) => [seqs].flat().includes(2),
      },
    };
    const { run, send, told, lines } = await setUp(t, { plan });
    const [a, , c] = [await send(), await send(), await send()];
    await run();
    assert.deepEqual(await told(), [a, c], method);
    assert.deepEqual(lines, [["change_unreadable", { position: "2" }]], method);
  }
});

test("leaves out the messages that the store refuses, and no others", async (t) => {
  const ids: string[] = [];
  const plan: FailurePlan = {
    advanceConsumer: {
      error: new CarillonError("STORAGE_REFUSED"),
      only: (_consumer, _from, _to, messages) =>
        (messages as readonly EventMessage[]).some((it) => idOf(it) === ids[1]),
    },
  };
  const { run, send, told, lines } = await setUp(t, { plan });
  for (let n = 0; n < 3; n++) ids.push(await send());
  await run();
  assert.deepEqual(await told(), [ids[0], ids[2]]);
  assert.deepEqual(lines, [["events_refused", { position: "2", count: 1 }]]);
});

test("waits for what may succeed later, and leaves out nothing", async (t) => {
  const plan: FailurePlan = {};
  const { run, send, told, lines, clock } = await setUp(t, { plan });
  const ids = [await send(), await send()];
  for (const method of [
    "findMessageHeads",
    "advanceConsumer",
    "readChanges",
  ] as const) {
    plan[method] = { error: new CarillonError("STORAGE_UNAVAILABLE") };
    await run();
    assert.deepEqual(await told(), []);
    plan[method] = undefined;
  }
  await clock.advanceSettled(60_000);
  assert.deepEqual(await told(), ids);
  assert.ok(lines.every(([event]) => event === "claim_failed"));
});

test("leaves out nothing while the store takes no write at all", async (t) => {
  const plan: FailurePlan = {};
  const { run, send, told, clock } = await setUp(t, { plan });
  await run();
  plan.advanceConsumer = { error: new CarillonError("STORAGE_REFUSED") };
  const ids = [await send(), await send()];
  await run();
  assert.deepEqual(await told(), []);
  plan.advanceConsumer = undefined;
  await clock.advanceSettled(60_000);
  assert.deepEqual(await told(), ids);
});

test("has a bounded number of messages accepted in one write", async (t) => {
  const { run, sendTogether, told, writes } = await setUp(t);
  const perBatch = 200;
  for (let n = 0; n < 10; n++) await sendTogether(perBatch);
  const large = maxEventsPerWrite + 100;
  await sendTogether(large);
  await run();
  assert.equal((await told()).length, 10 * perBatch + large);
  // Transactions are not cut: the last one goes by itself.
  const counts = writes.filter((it) => it > 0);
  assert.deepEqual(counts, [...Array.from({ length: 5 }, () => 400), large]);
});

test("says what it lost, and goes on with all that is kept", async (t) => {
  const plan: FailurePlan = {};
  const { run, send, told, lines, store } = await setUp(t, { plan });
  await run();
  plan.readChanges = { error: new CarillonError("STORAGE_UNAVAILABLE") };
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push(await send());
  const retention = { before: toStart(), maxBatches: 2 };
  assert.equal(await store.forgetChanges(retention, 100), 4);
  plan.readChanges = undefined;
  for (let n = 0; n < 3; n++) await run();
  assert.deepEqual(await told(), ids.slice(4));
  assert.deepEqual(
    lines.filter(([event]) => event !== "claim_failed"),
    [["events_lost", { position: "0", next: "4" }]],
  );
});

test("removes what is too old on one node alone", async (t) => {
  const one = await setUp(t);
  const other = await setUp(t, { store: one.store });
  await one.run();
  await other.run();
  for (let n = 0; n < 3; n++) {
    await one.clock.advanceSettled(60_000);
    await other.clock.advanceSettled(60_000);
  }
  assert.ok(one.calls("forgetChanges") >= 3);
  assert.equal(other.calls("forgetChanges"), 0);
});

test("looks nothing up once no message can have anything to be told of", async (t) => {
  const { run, send, told, calls, clock } = await setUp(t);
  const id = await send();
  await run();
  assert.equal((await told()).length, 1);
  const before = calls("findMessageHeads");
  // Late receipts are told, too.
  clock.advance(24 * hourMs);
  await send({ statusUrl: undefined });
  await run();
  assert.ok(calls("findMessageHeads") > before);
  clock.advance(2 * hourMs);
  const then = calls("findMessageHeads");
  await send({ statusUrl: undefined });
  await run();
  assert.equal(calls("findMessageHeads"), then);
  assert.deepEqual(await told(), [id]);
});

test("counts an event topic's subscribers, and reads none", async (t) => {
  const { run, send, calls, store } = await setUp(t);
  const { topic } = await store.createTopic(
    {
      id: newId(),
      projectId,
      name: "carillon-events",
      displayName: "",
      enterpriseProjectId: "0",
      pushPolicy: 0,
      introduction: "",
      accessPolicy: "",
      createdAt: toStart(),
      updatedAt: toStart(),
    },
    1,
  );
  await store.addSubscription(
    {
      id: newId(),
      topicSeq: topic.seq,
      projectId,
      protocol: "https",
      endpoint: "https://example.com/",
      remark: "",
      extension: {},
      status: 1,
      createdAt: toStart(),
    },
    undefined,
    1,
  );
  await send({ statusUrl: undefined });
  await run();
  const page = await store.listMessages(projectId, {}, { limit: 10 });
  const events = page.messages.filter(
    ({ message }) => message.content.kind === "event",
  );
  assert.equal(events.length, 1);
  assert.equal(calls("listSubscriptions"), 0);
});

const newId = createCountingIds();
const toStart = () => new ManualClock().now();

interface Options {
  readonly plan?: FailurePlan;
  /** Of another publisher. */
  readonly store?: MemoryStore;
  /** The position of a batch that is damaged. */
  readonly unreadable?: string;
}

/** A publisher over a store in memory that has the place of one before it. */
async function setUp(
  t: TestContext,
  { plan = {}, store: given, unreadable }: Options = {},
) {
  const clock = new ManualClock();
  const kept = given ?? new MemoryStore({ clock });
  await kept.claimConsumer("events", { owner: "before", leaseMs: 1 });
  clock.advance(1);
  const counts = new Map<PropertyKey, number>();
  const writes: number[] = [];
  const store: Store = interceptCalls(
    failing(kept, plan),
    async (method, call, args) => {
      counts.set(method, (counts.get(method) ?? 0) + 1);
      const answer = await call();
      if (method === "advanceConsumer") {
        writes.push((args[3] as readonly EventMessage[]).length);
      }
      if (method !== "readChanges" || unreadable === undefined) return answer;
      return damaged(answer as ChangePage, unreadable);
    },
  );
  const lines: [event: string, fields: LogFields][] = [];
  const keep = (event: string, fields: LogFields = {}) => {
    const { error, ...rest } = fields;
    assert.ok(error !== undefined || event === "events_lost");
    lines.push([event, rest]);
  };
  const publisher = new EventPublisher(
    {
      store,
      clock,
      logger: { ...silentLogger, warn: keep, error: keep },
      random: () => 0.5,
      dispatcher: { offer: () => {} },
      seal: { seal: async (message) => message },
      newMessageId: newId,
      lives: { https: 3600 },
      region: "test-1",
      protocols: { maskSecrets: (_, endpoint) => endpoint },
      owner: newId(),
    },
    { keepMs: hourMs, keepBatches: 1000 },
  );
  t.after(() => publisher.stop());
  let isStarted = false;

  async function accept(url: string | undefined) {
    const id = newId<MessageId>();
    await kept.acceptDirectMessage(
      {
        id,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "x" },
        createdAt: clock.now(),
        expiresAt: addMs(clock.now(), hourMs),
        ...(url !== undefined && { statusUrl: url }),
      },
      [{ protocol: "sms", endpoint: "+4915112345678", billable: false }],
    );
    return id;
  }
  /** All that is due is delivered, in one transaction. */
  async function deliver(): Promise<void> {
    const lease = { owner: "a", leaseMs: 60_000, rangeSize: 1000 };
    const kinds = ["delivery"] as const;
    const { deliveries } = await kept.claim(lease, { kinds, limit: 10_000 });
    await kept.finish({
      deliveries: deliveries
        .filter(({ recipient }) => recipient.protocol === "sms")
        .map(({ messageSeq, recipient, fence }) => ({
          messageSeq,
          target: recipient.target,
          state: "delivered" as const,
          attempts: 1,
          lastAttempt: { at: clock.now(), durationMs: 1 },
          fence,
        })),
    });
  }

  return {
    store: kept,
    clock,
    lines,
    writes,
    calls: (method: keyof Store) => counts.get(method) ?? 0,
    /** Has it read all there is, but for what has to wait. */
    async run() {
      if (!isStarted) publisher.start();
      isStarted = true;
      await clock.advanceSettled(5000);
      await clock.advanceSettled(5000);
    },
    /** A message that is delivered at once; answers its id. */
    async send(options: { readonly statusUrl?: string | undefined } = {}) {
      const { statusUrl: url } = { statusUrl, ...options };
      const id = await accept(url);
      await deliver();
      return id;
    },
    /** So many messages, whose deliveries end in one transaction. */
    async sendTogether(count: number) {
      for (let n = 0; n < count; n++) await accept(statusUrl);
      await deliver();
    },
    /** Messages of which the status URL was told. */
    async told() {
      const limit = 10_000;
      const page = await kept.listMessages(projectId, {}, { limit });
      return page.messages
        .filter(({ message }) => message.content.kind === "event")
        .map((it) => idOf(it))
        .toReversed();
    },
  };
}

function damaged(page: ChangePage, position: string): ChangePage {
  if (page.kind === "gone") return page;
  const batches = page.batches.map((batch) =>
    batch.position === position
      ? { ...batch, changes: [], unreadable: new Error("damaged") }
      : batch,
  );
  return { ...page, batches };
}

/** The message that an event is of. */
function idOf({ message: { content } }: Pick<EventMessage, "message">): string {
  return content.kind === "event" ? JSON.parse(content.text).messageId : "";
}
