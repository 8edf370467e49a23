/** One loop reads for all listeners; the store, the clock and the outputs are in memory. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  CarillonError,
  type LogFields,
  type ProjectId,
  type Store,
  silentLogger,
  toEpochMs,
} from "@carillon/core";
import {
  type FailurePlan,
  failing,
  interceptCalls,
  ManualClock,
  MemoryStore,
} from "@carillon/testing";
import { type EventFilter, parseEventId } from "./event-listener.ts";
import { EventTailer } from "./event-tailer.ts";

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;

test("rests while nothing happens, whatever ids its listeners came with", async (t) => {
  const { store, occur, listen, settle, calls } = setUp(t);
  await occur(3);
  const streams = [await listen("3.1"), await listen("3"), await listen()];
  await settle();
  const before = calls();
  await settle();
  assert.equal(calls(), before);
  await occur(1);
  await settle();
  for (const { ids } of streams) assert.deepEqual(ids(), ["3.1"]);
  assert.equal(await store.readLatestPosition(), "4");
});

test("gives who comes with an id that never was a gap, and rests", async (t) => {
  const { occur, listen, settle, calls } = setUp(t);
  await occur(3);
  const { names, ids } = await listen("4711.3");
  await settle();
  assert.deepEqual(names(), ["gap"]);
  const before = calls();
  await settle();
  assert.equal(calls(), before);
  await occur(1);
  await settle();
  assert.deepEqual(ids(), ["3", "3.1"]);
});

test("tells each what it missed, and all what happens next", async (t) => {
  const { occur, listen, settle } = setUp(t);
  await occur(120);
  const early = await listen("0");
  const late = await listen("110");
  await settle();
  await occur(2);
  await settle();
  // A page and more; what is beyond 50 a second is counted.
  assert.equal(early.told(), 122);
  assert.deepEqual(
    late.ids(),
    Array.from({ length: 12 }, (_, n) => `${110 + n}.1`),
  );
});

test("a listener that fails holds up no other, and none is told twice", async (t) => {
  const plan: FailurePlan = {};
  const { occur, send, listen, settle, clock, lines } = setUp(t, plan);
  // Only who filters by protocol reads the delivery.
  const plain = await listen();
  const picky = await listen(undefined, { protocol: "sms" });
  const last = await listen();
  await settle();
  plan.listDeliveryHeads = {
    error: new CarillonError("STORAGE_UNAVAILABLE"),
    only: () => true,
  };
  await occur(1);
  await send();
  await occur(1);
  await settle();
  // Texts of events need the delivery, so each of the three waits for it.
  for (const { ids } of [plain, last]) assert.deepEqual(ids(), ["0.1"]);
  assert.deepEqual(picky.ids(), []);
  assert.ok(lines.some(([event]) => event === "event_not_streamed"));
  plan.listDeliveryHeads = undefined;
  clock.advance(1000);
  await settle();
  for (const { ids } of [plain, last]) {
    assert.deepEqual(ids(), ["0.1", "1.1", "2.1"]);
  }
  assert.deepEqual(picky.ids(), ["1.1"]);
});

test("who does not need what cannot be read goes on meanwhile", async (t) => {
  const plan: FailurePlan = {};
  const { occur, send, listen, settle, clock } = setUp(t, plan);
  const types = new Set(["endpoint.failing"] as const);
  const before = await listen(undefined, { types });
  const reads = await listen();
  const behind = await listen(undefined, { types });
  await settle();
  plan.listDeliveryHeads = { error: new CarillonError("STORAGE_UNAVAILABLE") };
  await send();
  await occur(1);
  await settle();
  for (const { ids } of [before, behind]) assert.deepEqual(ids(), ["1.1"]);
  assert.deepEqual(reads.ids(), []);
  plan.listDeliveryHeads = undefined;
  clock.advance(1000);
  await settle();
  assert.deepEqual(reads.ids(), ["0.1", "1.1"]);
});

test("gives a gap in place of what can never be read", async (t) => {
  const plan: FailurePlan = {};
  const { occur, send, listen, settle, lines } = setUp(t, plan);
  const { names, ids } = await listen();
  await settle();
  plan.listDeliveryHeads = { error: new Error("damaged") };
  await send();
  await occur(1);
  await settle();
  assert.deepEqual(names(), ["gap", "endpoint.failing"]);
  assert.deepEqual(ids(), ["1", "1.1"]);
  assert.equal(lines.filter(([it]) => it === "event_not_streamed").length, 1);
});

test("gives a gap in place of a message that can never be read", async (t) => {
  const plan: FailurePlan = {};
  const { occur, send, listen, settle, lines } = setUp(t, plan);
  await occur(1);
  await send();
  await occur(1);
  plan.findMessageHeads = {
    error: new Error("damaged"),
    only: (seqs) => (seqs as readonly number[]).length > 0,
  };
  const { names, ids } = await listen("0");
  await settle();
  assert.deepEqual(names(), ["endpoint.failing", "gap", "endpoint.failing"]);
  assert.deepEqual(ids(), ["0.1", "2", "2.1"]);
  assert.deepEqual(
    lines.map(([event, fields]) => [event, fields.position]),
    [["change_unreadable", "2"]],
  );
});

test("reads nothing once nobody listens, nor later what was missed", async (t) => {
  let held = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const { occur, send, listen, settle, calls } = setUp(
    t,
    {
      listDeliveryHeads: {
        error: new Error("never"),
        only: () => false,
      },
    },
    async (method) => {
      if (method !== "listDeliveryHeads") return;
      reading.resolve();
      await held.promise;
    },
  );
  const first = await listen();
  await settle();
  await send();
  await reading.promise;
  // It goes while its batch is being read.
  first.close();
  held.resolve();
  held = Promise.withResolvers<void>();
  held.resolve();
  await settle();
  await occur(500);
  await settle();
  const before = calls();
  const second = await listen();
  await settle();
  assert.deepEqual(second.ids(), []);
  // Where the feed stands, and what follows: not the ten pages since.
  assert.ok(calls() - before <= 6, `${calls() - before} calls`);
});

/** A tailer over a store in memory; `around` may hold up the store's calls. */
function setUp(
  t: TestContext,
  plan: FailurePlan = {},
  around: (method: PropertyKey) => Promise<void> = async () => {},
) {
  const clock = new ManualClock();
  const kept = new MemoryStore({ clock });
  let calls = 0;
  const store: Store = interceptCalls(
    failing(kept, plan),
    async (method, call) => {
      calls++;
      await around(method);
      return await call();
    },
  );
  const lines: [event: string, fields: LogFields][] = [];
  const keep = (event: string, fields: LogFields = {}) => {
    lines.push([event, fields]);
  };
  const tailer = new EventTailer({
    store,
    clock,
    logger: { ...silentLogger, warn: keep, error: keep },
    random: () => 0,
    region: "test-1",
    protocols: { maskSecrets: (_, endpoint) => endpoint },
  });
  t.after(() => tailer[Symbol.dispose]());
  let n = 0;
  return {
    store: kept,
    clock,
    lines,
    /** Of the store, since the start. */
    calls: () => calls,
    /** So many transactions, each with one event. */
    async occur(count: number) {
      for (let k = 0; k < count; k++) {
        const endpoint = `https://example.com/${n++}`;
        const since = toEpochMs(0);
        const failing = { projectId, protocol: "https", endpoint, since };
        await kept.addFailingEndpoint(failing, 5);
      }
    },
    /** A text that was sent: a transaction with one event of a delivery. */
    async send() {
      const message = {
        id: `${n++}`.padStart(32, "0") as never,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "x" },
        createdAt: clock.now(),
        expiresAt: toEpochMs(clock.now() + 3_600_000),
      } as const;
      const phone = {
        protocol: "sms",
        endpoint: "+4915112345678",
        billable: false,
      };
      await kept.acceptDirectMessage(message, [phone]);
      const lease = { owner: "a", leaseMs: 60_000, rangeSize: 1000 };
      const kinds = ["delivery"] as const;
      const { deliveries } = await kept.claim(lease, { kinds, limit: 10 });
      await kept.finish({
        deliveries: deliveries.map(({ messageSeq, recipient, fence }) => ({
          messageSeq,
          target: recipient.target,
          state: "delivered" as const,
          attempts: 1,
          lastAttempt: { at: clock.now(), durationMs: 1 },
          fence,
        })),
      });
    },
    /** What is to be read without time passing is read. */
    async settle() {
      for (let turn = 0; turn < 60; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async listen(after?: string, filter: Partial<EventFilter> = {}) {
      const written: string[] = [];
      const listeners = new Map<string, () => void>();
      const from = after === undefined ? undefined : parseEventId(after);
      await tailer.listen({ projectId, ...filter }, from, () => ({
        output: {
          write(text: string) {
            written.push(text);
            return true;
          },
          end() {},
          on: (event: string, run: () => void) => listeners.set(event, run),
        },
        cut() {},
      }));
      const fields = (pattern: RegExp) =>
        written.slice(1).flatMap((it) => pattern.exec(it)?.[1] ?? []);
      return {
        names: () => fields(/^event: (.*)$/m),
        ids: () => fields(/^id: (.*)$/m),
        close: () => listeners.get("close")?.(),
        /** Events, one by one and in summaries. */
        told() {
          clock.advance(1000);
          const summed = fields(/"endpoint.failing":(\d+)/).map(Number);
          const single = written.filter((it) =>
            it.includes("event: endpoint.failing"),
          ).length;
          return summed.reduce((sum, it) => sum + it, single);
        },
      };
    },
  };
}
