import assert from "node:assert/strict";
import type { EngineCases } from "./cases.ts";

export function testPull({ test }: EngineCases): void {
  test("makes no attempt at who fetches, and leaves it in its lane", {}, async (world) => {
    await world.subscribe("http", "http://sink.test/1");
    const { seq: lane } = await world.subscribe("queue", "q1");
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.pass(30_000);
    assert.deepEqual(await world.counts(id), { delivered: 1, waiting: 1 });
    const lease = { owner: "consumer", leaseMs: 1000 };
    const now = world.clock.now();
    const [claim] = await world.store.claimLane(lease, lane, now, 9);
    assert.ok(claim);
    const { messageSeq, fence } = claim;
    const held = { messageSeq, target: lane, fence };
    assert.deepEqual(await world.store.ackLane([held], now), [true]);
    assert.deepEqual(await world.counts(id), { delivered: 2 });
  });

  test("what a consumer held when it died waits again", {}, async (world) => {
    const { seq: lane } = await world.subscribe("queue", "q1");
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.settle();
    const lease = { owner: "consumer", leaseMs: 20_000 };
    const claimed = await world.store.claimLane(
      lease,
      lane,
      world.clock.now(),
      9,
    );
    assert.equal(claimed.length, 1);
    await world.pass(10_000);
    assert.deepEqual(await world.counts(id), { sending: 1 });
    await world.pass(20_000);
    assert.deepEqual(await world.counts(id), { waiting: 1 });
  });

  test("what nobody fetches expires with its protocol's life", {}, async (world) => {
    await world.subscribe("queue", "q1");
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.pass(50_000);
    assert.deepEqual(await world.counts(id), { waiting: 1 });
    await world.pass(20_000);
    assert.deepEqual(await world.counts(id), { expired: 1 });
  });
}
