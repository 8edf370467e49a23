import assert from "node:assert/strict";
import {
  CarillonError,
  type ClaimRequest,
  type ContentSeal,
  type FinishedWork,
  smnRetryPolicy,
} from "@carillon/core";
import { failing } from "../failing.ts";
import { interceptCalls } from "../intercept-calls.ts";
import type { EngineCases } from "./cases.ts";
import { delivered, never, unavailable } from "./scripted-channel.ts";

const hour = 3_600_000;

const isOfRange = (work: unknown) => "range" in (work as FinishedWork);
const isOfDeliveries = (work: unknown) => !isOfRange(work);
const isClaimOfRanges = (_: unknown, request: unknown) =>
  (request as ClaimRequest).kinds.includes("range");
const isClaimOfDeliveries = (lease: unknown, request: unknown) =>
  !isClaimOfRanges(lease, request);

export function testFaults({ test }: EngineCases): void {
  const transient = new CarillonError("STORAGE_UNAVAILABLE");
  test("a disk that is full for a while costs no second attempt", {
    subscribers: 50,
    wrap: (store) =>
      failing(store, {
        finish: { error: transient, times: 3, only: isOfRange },
      }),
  }, async (world) => {
    const id = await world.publish(await world.start());
    await world.pass(10_000);
    assert.equal(world.http.calls.length, 50);
    assert.deepEqual(await world.counts(id), { delivered: 50 });
  });

  for (const [only, kind, attempts] of [
    [isOfRange, "a refused range", 20],
    // The first attempts, and their retries.
    [isOfDeliveries, "a refused batch", 40],
  ] as const) {
    test(`${kind} makes no attempt again and ends`, {
      subscribers: 20,
      wrap: (store) =>
        failing(store, {
          finish: { error: new TypeError("No such type."), times: 1, only },
        }),
    }, async (world) => {
      world.http.script = (_, nth) => (nth === 1 ? unavailable : delivered);
      const id = await world.publish(await world.start());
      await world.pass(hour);
      const { delivered: done = 0, failed = 0 } = await world.counts(id);
      assert.equal(done + failed, 20);
      assert.equal(world.http.calls.length, attempts);
    });
  }

  test("a message that cannot be read costs its own deliveries only", {
    wrap: (store) =>
      interceptCalls(store, async (method, call, [seq]) => {
        if (method === "findMessageBySeq" && seq === 2) {
          throw new TypeError("No such kind of content.");
        }
        return await call();
      }),
  }, async (world) => {
    const engine = await world.start();
    const ids = [];
    for (let n = 0; n < 5; n++) {
      ids.push(await world.sendSms(engine, `+1555010000${n}`));
    }
    await world.pass(hour);
    const states = await Promise.all(ids.map((id) => world.counts(id)));
    assert.deepEqual(
      states,
      ids.map((_, n) => (n === 1 ? { failed: 1 } : { delivered: 1 })),
    );
    const [delivery] = await world.deliveries(ids[1] ?? assert.fail());
    assert.match(
      delivery?.attempts[0]?.error ?? "",
      /cannot be read: No such kind/,
    );
  });

  test("a wait beyond all measure ends its own delivery, and nothing else", {
    subscribers: 3,
    engine: {
      retryPolicy: { ...smnRetryPolicy, maxRetryAfterMs: Infinity },
    },
  }, async (world) => {
    world.http.script = ({ endpoint }) =>
      endpoint.endsWith("/1")
        ? { ...unavailable, retryAfterMs: Number.MAX_SAFE_INTEGER * 1000 }
        : delivered;
    const id = await world.publish(await world.start());
    await world.settle();
    assert.deepEqual(await world.counts(id), { delivered: 2, expired: 1 });
    assert.equal(world.logger.count("channel_defect"), 0);
  });

  test("a claim that the store refuses ends neither process nor range", {
    subscribers: 60,
    engine: { rangeSize: 50 },
    wrap: (store) =>
      failing(store, {
        claim: {
          error: new CarillonError("STORAGE_REFUSED"),
          times: 1,
          only: isClaimOfRanges,
        },
      }),
  }, async (world) => {
    const id = await world.publish(await world.start());
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 60 });
  });

  test("an audience that cannot be read for a while is read later, not at once", {
    subscribers: 5,
    wrap: (store) =>
      failing(store, { readAudience: { error: transient, times: 4 } }),
  }, async (world) => {
    const id = await world.publish(await world.start());
    await world.settle();
    assert.equal(world.logger.count("range_failed"), 1);
    await world.pass(2 * 60_000);
    assert.deepEqual(await world.counts(id), { delivered: 5 });
    assert.equal(world.logger.count("range_failed"), 4);
  });

  test("claims that fail are tried again with growing waits", {
    subscribers: 1,
    wrap: (store) =>
      failing(store, {
        claim: { error: transient, times: 10, only: isClaimOfDeliveries },
      }),
  }, async (world) => {
    world.http.script = (_, nth) => (nth === 1 ? unavailable : delivered);
    const id = await world.publish(await world.start());
    await world.pass(2 * 60_000);
    assert.deepEqual(await world.counts(id), { delivered: 1 });
    assert.equal(world.logger.count("claim_failed"), 10);
  });

  const wrongAnswers: readonly [string, () => unknown, RegExp][] = [
    ["nothing", () => undefined, /retrying/],
    ["a number", () => 7, /retrying/],
    ["an unknown outcome", () => ({ outcome: "fine" }), /retrying/],
    [
      "fractions and NaN",
      () => ({
        outcome: "delivered",
        statusCode: Number.NaN,
        segments: 1.5,
      }),
      /delivered/,
    ],
    [
      "a wait that is no number",
      () => ({ ...unavailable, retryAfterMs: Number.NaN }),
      /retrying/,
    ],
    [
      "a wait with a fraction",
      () => ({ ...unavailable, retryAfterMs: 7000.25 }),
      /retrying/,
    ],
    [
      "text that no store keeps",
      () => ({ ...unavailable, error: "a\0b\ud800", provider: {} }),
      /retrying/,
    ],
    [
      "a throwing getter",
      () => ({
        get outcome() {
          throw new Error("no");
        },
      }),
      /retrying/,
    ],
    ["an exception", () => Promise.reject(new Error("broken")), /retrying/],
    ["what is no error", () => Promise.reject(undefined), /retrying/],
    [
      "an exception at once",
      () => {
        throw new TypeError("broken");
      },
      /retrying/,
    ],
  ];
  for (const [what, answer, state] of wrongAnswers) {
    test(`a channel that answers ${what} costs its own delivery only`, {
      subscribers: 40,
    }, async (world) => {
      world.http.script = ({ endpoint }, nth) =>
        endpoint.endsWith("/7") && nth === 1 ? answer() : delivered;
      const id = await world.publish(await world.start());
      await world.settle();
      const all = await world.deliveries(id);
      const odd = all.find(({ endpoint }) => endpoint.endsWith("/7"));
      assert.match(odd?.state ?? "", state);
      const others = all.filter((it) => it !== odd);
      assert.ok(others.every((it) => it.state === "delivered"));
      assert.equal(others.length, 39);
      await world.pass(60_000);
      assert.deepEqual(await world.counts(id), { delivered: 40 });
    });
  }

  test("a preparation that hangs is given up, and the message prepared anew", {
    subscribers: 3,
  }, async (world) => {
    let prepared = 0;
    world.http.onPrepare = () => (++prepared === 1 ? never() : undefined);
    const id = await world.publish(await world.start());
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 3 });
    assert.equal(world.http.calls.length, 3);
  });

  test("a message whose preparation hangs stalls no other", {
    subscribers: 3,
  }, async (world) => {
    const engine = await world.start();
    let prepared = 0;
    world.http.onPrepare = () => (++prepared === 1 ? never() : undefined);
    await world.publish(engine);
    const id = await world.publish(engine);
    await world.pass(300);
    assert.deepEqual(await world.counts(id), { delivered: 3 });
  });

  test("a message whose preparation fails is prepared again", {
    subscribers: 3,
  }, async (world) => {
    let prepared = 0;
    world.http.onPrepare = () => {
      if (++prepared === 1) return Promise.reject(new Error("no key yet"));
      if (prepared === 2) throw new Error("no key yet");
      return undefined;
    };
    const id = await world.publish(await world.start());
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 3 });
  });

  let isKeyThere = false;
  const seal: ContentSeal = {
    seal: async (message) => message,
    open(message) {
      if (!isKeyThere) throw new Error("The key is gone.");
      return message;
    },
  };
  test("a message that cannot be opened waits on schedule, and goes when it can", {
    subscribers: 5,
    seal,
  }, async (world) => {
    isKeyThere = false;
    const id = await world.publish(await world.start());
    // As publishing hands the text on in memory, look at what comes later.
    await world.pass(20_000);
    assert.equal(world.http.calls.length, 0);
    assert.deepEqual(await world.counts(id), { retrying: 5 });
    isKeyThere = true;
    await world.pass(10 * 60_000);
    assert.deepEqual(await world.counts(id), { delivered: 5 });
  });
  test("a message that can never be opened ends like one that never arrives", {
    subscribers: 5,
    seal,
  }, async (world) => {
    isKeyThere = false;
    const id = await world.publish(await world.start());
    await world.pass(2 * hour);
    assert.deepEqual(await world.counts(id), { failed: 5 });
    const [delivery] = await world.deliveries(id);
    assert.equal(delivery?.attempts.at(-1)?.errorClass, "internal");
  });

  /** How often it is opened before the store is back that has the key. */
  let failuresLeft = 0;
  const slowSeal: ContentSeal = {
    seal: async (message) => message,
    async open(message) {
      await new Promise((resolve) => setImmediate(resolve));
      if (failuresLeft-- > 0) throw transient;
      return message;
    },
  };
  for (const failures of [0, 2]) {
    test(`a message whose key is looked for in the store is delivered${failures > 0 ? " once the store is back" : ""}`, {
      subscribers: 5,
      seal: slowSeal,
    }, async (world) => {
      failuresLeft = failures;
      world.http.script = (_, nth) => (nth === 1 ? unavailable : delivered);
      const id = await world.publish(await world.start());
      await world.pass(10 * 60_000);
      assert.deepEqual(await world.counts(id), { delivered: 5 });
      // What could not be opened for a while is no attempt.
      for (const delivery of await world.deliveries(id)) {
        assert.equal(delivery.attemptCount, 2);
      }
    });
  }

  test("the event loop turns while all batches are taken and more is due", {
    subscribers: 200,
    engine: { dueBatchSize: 20, maxDueBatches: 3 },
  }, async (world) => {
    world.http.script = (_, nth) => (nth === 1 ? unavailable : never());
    const id = await world.publish(await world.start());
    await world.settle();
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    await world.pass(8000);
    clearInterval(counting);
    assert.ok(turns > 0, "the event loop did not turn");
    assert.ok(world.http.calls.length > 200);
    world.http.script = () => delivered;
    await world.pass(20 * 60_000);
    assert.deepEqual(await world.counts(id), { delivered: 200 });
  });
}
