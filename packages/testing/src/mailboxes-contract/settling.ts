import assert from "node:assert/strict";
import type { MailboxCases } from "./cases.ts";
import { bodiesOf, keysOf } from "./world.ts";

export function testSettling({ test }: MailboxCases): void {
  test("a lease that is acked is over, and its message delivered", async (world) => {
    const till = await world.subscribe("till");
    const other = await world.subscribe("other");
    const seq = await world.publish("a");
    const keys = keysOf(await world.poll(till));
    const { mailboxes } = world;
    // Of another mailbox it is none; named twice it counts once.
    const foreign = await mailboxes.ack(other, keys);
    assert.deepEqual(foreign, { settled: [], stale: keys });
    const acked = await mailboxes.ack(till, [...keys, ...keys]);
    assert.deepEqual(acked, { settled: keys, stale: [] });
    const again = await mailboxes.ack(till, keys);
    assert.deepEqual(again, acked);
    assert.deepEqual(await world.statesOf(seq), ["delivered", "waiting"]);
    await world.pass(60_000);
    assert.deepEqual(await world.poll(till), []);
  });

  test("a lease that ended while its message was handled is stale", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    const first = await world.poll(till);
    await world.pass(60_000);
    const stale = await world.mailboxes.ack(till, keysOf(first));
    assert.deepEqual(stale, { settled: [], stale: keysOf(first) });
    const [again] = await world.poll(till);
    assert.equal(again?.deliveryCount, 2);
    assert.equal(again?.messageId, first[0]?.messageId);
    // The lease of before settles nothing of the one that follows.
    await world.mailboxes.nack(till, keysOf(first), 0);
    assert.ok(again);
    const acked = await world.mailboxes.ack(till, [again.key]);
    assert.equal(acked.settled.length, 1);
  });

  test("a lease that nobody has ended yet is stale all the same", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    const keys = keysOf(await world.poll(till));
    world.failures.endLeases = { error: new Error("The disk is slow.") };
    await world.pass(60_001);
    const { stale } = await world.mailboxes.ack(till, keys);
    assert.deepEqual(stale, keys);
  });

  test("what is given back comes again: at once, or after a while", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    const first = keysOf(await world.poll(till));
    await world.mailboxes.nack(till, first, 0);
    const second = await world.poll(till);
    assert.equal(second[0]?.deliveryCount, 2);
    const waiting = world.mailboxes.receive(till, { max: 1, waitMs: 60_000 });
    await world.mailboxes.nack(till, keysOf(second), 10_000);
    await world.pass(9900);
    assert.equal(world.mailboxes.status().waiting, 1);
    await world.pass(200);
    assert.equal((await waiting)[0]?.deliveryCount, 3);
    assert.equal(world.events.nacked, 2);
  });

  test("a lease ends when it was extended to", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    const keys = keysOf(await world.poll(till));
    await world.pass(50_000);
    const extended = await world.mailboxes.extend(till, keys, 100_000);
    assert.deepEqual(extended.settled, keys);
    assert.equal(extended.until, world.clock.now() + 100_000);
    await world.pass(90_000);
    assert.deepEqual(await world.poll(till), []);
    // Shortened, too.
    await world.mailboxes.extend(till, keys, 5000);
    await world.pass(5100);
    assert.equal((await world.poll(till)).length, 1);
    const { stale } = await world.mailboxes.extend(till, keys, 5000);
    assert.deepEqual(stale, keys);
  });

  test("leases end though nobody asks, and the last one is final", async (world) => {
    const till = await world.subscribe("till");
    world.settings = { ...world.settings, maxDeliveries: 2 };
    const seq = await world.publish("a");
    await world.poll(till);
    assert.deepEqual(await world.statesOf(seq), ["sending"]);
    await world.pass(60_100);
    assert.deepEqual(await world.statesOf(seq), ["waiting"]);
    await world.poll(till);
    await world.pass(60_100);
    assert.deepEqual(await world.statesOf(seq), ["failed"]);
    assert.deepEqual(await world.poll(till), []);
    const [dead] = await world.store.listDeadMessages(till.seq, { limit: 9 });
    assert.equal(dead?.deliveryCount, 2);
    assert.deepEqual([world.events.returned, world.events.dead], [1, 1]);
    assert.deepEqual(
      world.settled.map(({ state }) => state),
      ["failed"],
    );
    // Without leases nothing is to be done.
    assert.equal(world.clock.nextTimerAt, undefined);
  });

  test("a lease outlives a restart, and ends in time", async (world) => {
    const till = await world.subscribe("till");
    await world.publishEach("a", "b");
    const [a] = await world.poll(till, 1);
    await world.restart();
    assert.ok(a);
    assert.deepEqual(bodiesOf(await world.poll(till)), ["b"]);
    await world.pass(59_000);
    const { settled } = await world.mailboxes.ack(till, [a.key]);
    assert.equal(settled.length, 1);
    await world.pass(1100);
    const [b] = await world.poll(till);
    assert.deepEqual([b?.body, b?.deliveryCount], ["b", 2]);
  });

  test("no lease lasts an hour longer when the clock is set back by one", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    const keys = keysOf(await world.poll(till));
    world.clock.jump(-3_600_000);
    await world.pass(30_000);
    const held = await world.mailboxes.extend(till, keys, 60_000);
    assert.deepEqual(held.settled, keys);
    const waiting = world.mailboxes.receive(till, { max: 1, waitMs: 90_000 });
    // The steady clock runs a fifth slower until it has followed.
    await world.pass(76_000);
    assert.equal((await waiting)[0]?.deliveryCount, 2);
  });
}
