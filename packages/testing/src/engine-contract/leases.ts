import assert from "node:assert/strict";
import { CarillonError } from "@carillon/core";
import { type FailurePlan, failing } from "../failing.ts";
import { cancelMessage } from "../store-contract/message-cancellation.ts";
import type { EngineCases } from "./cases.ts";
import {
  delivered,
  ended,
  interrupted,
  never,
  unavailable,
} from "./scripted-channel.ts";

const hour = 3_600_000;

export function testLeases({ test }: EngineCases): void {
  test("a crash within a range tries its recipients again", {
    subscribers: 10,
  }, async (world) => {
    world.http.script = never;
    const id = await world.publish(await world.start());
    await world.settle();
    assert.equal(world.http.calls.length, 10);
    world.cutOff();
    world.http.script = () => delivered;
    await world.start();
    await world.pass(1000);
    assert.equal(world.http.calls.length, 20);
    assert.deepEqual(await world.counts(id), { delivered: 10 });
  });

  test("a crash within a range of a message that is cancelled leaves a word of each", {
    subscribers: 10,
  }, async (world) => {
    world.http.script = never;
    const id = await world.publish(await world.start());
    await world.settle();
    const { message } = await world.report(id);
    await cancelMessage(world.store, message.seq);
    world.cutOff();
    world.http.script = () => delivered;
    await world.start();
    await world.pass(1000);
    assert.equal(world.http.calls.length, 10);
    const { fannedOut, counts } = await world.report(id);
    assert.deepEqual(
      { fannedOut, counts },
      {
        fannedOut: true,
        counts: { cancelled: 10 },
      },
    );
  });

  test("an endpoint that hangs is tried on schedule, one attempt at a time", {
    subscribers: 1,
    engine: { leaseMs: 15_000 },
  }, async (world) => {
    // Longer than the channel allows itself: it never answers.
    world.http.script = never;
    const id = await world.publish(await world.start());
    let attempts = 0;
    for (let minute = 0; minute < 60; minute++) {
      await world.pass(60_000);
      attempts = world.http.calls.length;
    }
    const [delivery] = await world.deliveries(id);
    assert.equal(delivery?.state, "failed");
    assert.equal(delivery?.attemptCount, attempts);
    assert.equal(attempts, 7);
    assert.equal(delivery?.attempts.length, 7);
    for (const { errorClass } of delivery?.attempts ?? []) {
      assert.equal(errorClass, "timeout");
    }
  });

  const full: FailurePlan = {};
  test("keeps what it holds while its outcomes wait for longer than a lease", {
    subscribers: 5,
    engine: { leaseMs: 12_000 },
    wrap: (store) => failing(store, full),
  }, async (world) => {
    const error = new CarillonError("STORAGE_UNAVAILABLE");
    full.finish = { error };
    const id = await world.publish(await world.start());
    await world.pass(60_000);
    full.finish = undefined;
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 5 });
    assert.equal(world.http.calls.length, 5);
  });

  const fullOfAll: FailurePlan = {};
  test("a disk that is full for longer than a lease makes no second attempt", {
    subscribers: 5,
    engine: { leaseMs: 12_000 },
    wrap: (store) => failing(store, fullOfAll),
  }, async (world) => {
    const error = new CarillonError("STORAGE_FULL");
    fullOfAll.finish = { error };
    fullOfAll.renew = { error };
    const id = await world.publish(await world.start());
    await world.pass(60_000);
    fullOfAll.finish = undefined;
    fullOfAll.renew = undefined;
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 5 });
    assert.equal(world.http.calls.length, 5);
  });

  test("a standstill of several leases makes no second attempt", {
    subscribers: 5,
    engine: { leaseMs: 12_000 },
  }, async (world) => {
    const late = Promise.withResolvers<unknown>();
    world.http.script = () => late.promise;
    const id = await world.publish(await world.start());
    await world.pass(1000);
    // As after SIGSTOP: the answers lie in their sockets.
    world.clock.standStill(60_000);
    setImmediate(() => late.resolve(delivered));
    await world.pass(hour);
    assert.deepEqual(await world.counts(id), { delivered: 5 });
    assert.equal(world.http.calls.length, 5);
  });

  test("a range that can not be given back at once is given back later", {
    subscribers: 5,
    wrap: (store) =>
      failing(store, {
        readAudience: {
          error: new CarillonError("STORAGE_UNAVAILABLE"),
          times: 1,
        },
        release: { error: new CarillonError("STORAGE_FULL"), times: 3 },
      }),
  }, async (world) => {
    const id = await world.publish(await world.start());
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 5 });
    assert.equal(world.http.calls.length, 5);
  });

  test("a range that is longer than ranges are now is worked in parts", {
    subscribers: 60,
    engine: { rangeSize: 50 },
  }, async (world) => {
    world.http.script = never;
    const id = await world.publish(await world.start());
    await world.settle();
    world.cutOff();
    world.http.calls.length = 0;
    world.http.script = () => delivered;
    await world.start({ rangeSize: 20 });
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 60 });
    assert.equal(new Set(world.http.calls).size, world.http.calls.length);
  });

  const plan: FailurePlan = {};
  test("starts nothing that its leases do not cover", {
    subscribers: 1,
    engine: { leaseMs: 15_000 },
    wrap: (store) => failing(store, plan),
  }, async (world) => {
    plan.renew = { error: new CarillonError("STORAGE_UNAVAILABLE") };
    await world.addTopic("hangs");
    await world.subscribe("http", "http://hangs.test/", "hangs");
    world.http.script = ({ endpoint }, nth) => {
      if (endpoint === "http://hangs.test/") return never();
      return nth < 3 ? unavailable : delivered;
    };
    const engine = await world.start();
    const id = await world.publish(engine);
    // So that something is held all the time.
    const holdFor = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 2000) {
        await world.publish(engine, "hangs");
        await world.pass(2000);
      }
    };
    await holdFor(10_000);
    const before = world.http.calls.length;
    // Until the last of them ends there is nothing to start from anew.
    await holdFor(2_000);
    assert.equal(world.http.calls.length, before);
    assert.ok(world.logger.count("sweep_failed") > 0);
    plan.renew = undefined;
    await world.pass(120_000);
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("refuses a lease that does not cover an attempt", {
    engine: { leaseMs: 10_000 },
  }, async (world) => {
    assert.throws(() => world.create(), {
      name: "RangeError",
      message:
        /lease of 10000 ms .* channel http.* 5000 ms: make the lease 10650/,
    });
  });

  test("draining finishes what is under way and accepts nothing more", {
    subscribers: 3,
  }, async (world) => {
    const gate = Promise.withResolvers<unknown>();
    world.http.script = () => gate.promise;
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.settle();
    const drained = engine.drain();
    await assert.rejects(world.publish(engine), { code: "SHUTTING_DOWN" });
    gate.resolve(delivered);
    await drained;
    assert.deepEqual(await world.counts(id), { delivered: 3 });
  });

  test("an engine that is abandoned ends its attempts and writes what came of them", {
    subscribers: 40,
    engine: { laneInFlight: 1 },
  }, async (world) => {
    world.http.script = (_to, _nth, signals) => ended(signals, interrupted);
    const engine = await world.start();
    const slow = await world.publish(engine);
    await world.pass(1000);
    // All but one of these wait for their lanes.
    await world.subscribe("http", "http://sink.test/fresh");
    const next = await world.publish(engine);
    await world.settle();
    assert.equal(world.http.open, 41);
    const stop = new AbortController();
    const drained = engine.drain({ signal: stop.signal });
    await world.settle();
    assert.equal(world.http.open, 41);

    stop.abort();
    await drained;
    assert.equal(world.http.open, 0, "attempts were left under way");
    assert.equal(world.http.calls.length, 41, "an attempt began after the end");
    assert.deepEqual(await world.counts(slow), { retrying: 40 });
    assert.deepEqual(await world.counts(next), { waiting: 40, retrying: 1 });
    const classes = (await world.deliveries(slow)).map(
      ({ attempts }) => attempts.at(-1)?.errorClass,
    );
    assert.deepEqual(new Set(classes), new Set(["interrupted"]));
  });

  test("an abandoned engine stops though a channel does not heed its signal", {
    subscribers: 1,
  }, async (world) => {
    world.http.script = never;
    const engine = await world.start();
    await world.publish(engine);
    await world.settle();
    const drained = engine.drain({ signal: AbortSignal.abort() });
    await world.pass(500);
    await drained;
  });

  test("a text whose attempt is abandoned is unknown, and not sent again", {}, async (world) => {
    await world.subscribe("sms", "+15550100001");
    world.sms.script = (_to, _nth, signals) =>
      ended(signals, {
        outcome: "unknown",
        errorClass: "interrupted",
        error: "The service was shutting down; the text may have gone out.",
      });
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.settle();
    assert.equal(world.sms.calls.length, 1);
    await engine.drain({ signal: AbortSignal.abort() });
    assert.deepEqual(await world.counts(id), { unknown: 1 });
  });
}
