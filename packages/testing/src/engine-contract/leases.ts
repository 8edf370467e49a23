import assert from "node:assert/strict";
import { CarillonError } from "@carillon/core";
import { type FailurePlan, failing } from "../failing.ts";
import type { EngineCases } from "./cases.ts";
import { delivered, never, unavailable } from "./scripted-channel.ts";

const hour = 3_600_000;

export function testLeases({ test }: EngineCases): void {
  test("a crash within a chunk tries its recipients again", {
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

  test("keeps what it holds while attempts are slow", {
    subscribers: 5,
    engine: { leaseMs: 12_000 },
  }, async (world) => {
    const late = Promise.withResolvers<unknown>();
    world.http.script = (_, nth) => (nth === 1 ? late.promise : delivered);
    const id = await world.publish(await world.start());
    await world.pass(6900);
    assert.deepEqual(await world.counts(id), { sending: 5 });
    late.resolve(delivered);
    await world.pass(hour);
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
    // As after SIGSTOP: all timers fire at once, and only then come answers.
    world.clock.advance(60_000);
    late.resolve(delivered);
    await world.pass(hour);
    const { delivered: done = 0 } = await world.counts(id);
    assert.equal(done, 5);
    // Those whose time was up in the standstill are tried once more.
    assert.ok(world.http.maxOpen <= 5, `${world.http.maxOpen} at once`);
  });

  const plan: FailurePlan = {};
  test("starts nothing that its leases do not cover", {
    subscribers: 1,
    engine: { leaseMs: 15_000 },
    wrap: (store) => failing(store, plan),
  }, async (world) => {
    plan.renewLeases = { error: new CarillonError("STORAGE_UNAVAILABLE") };
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
    await holdFor(6_000);
    assert.equal(world.http.calls.length, before);
    assert.ok(world.logger.count("sweep_failed") > 0);
    plan.renewLeases = undefined;
    await world.pass(120_000);
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("refuses a lease that does not cover an attempt", {
    engine: { leaseMs: 10_000 },
  }, async (world) => {
    assert.throws(() => world.create(), {
      name: "RangeError",
      message:
        /lease of 10000 ms .* channel http.* 5000 ms: make the lease 10500/,
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
    const drained = engine.drain(8000);
    await assert.rejects(world.publish(engine), { code: "SHUTTING_DOWN" });
    gate.resolve(delivered);
    await drained;
    assert.deepEqual(await world.counts(id), { delivered: 3 });
  });

  test("draining ends at its deadline though a receiver hangs", {
    subscribers: 1,
  }, async (world) => {
    world.http.script = never;
    const engine = await world.start();
    await world.publish(engine);
    await world.settle();
    const drained = engine.drain(4000);
    await world.pass(4000);
    await drained;
  });
}
