import assert from "node:assert/strict";
import type { FinishedRange, Subscription } from "@carillon/core";
import { interceptCalls } from "../intercept-calls.ts";
import { maxDeliveries } from "../store-contract/mailbox-fixtures.ts";
import type { EngineCases } from "./cases.ts";
import type { World } from "./world.ts";

export function testPull({ test }: EngineCases): void {
  test("makes no attempt at who fetches, and leaves it in its mailbox", {}, async (world) => {
    await world.subscribe("http", "http://sink.test/1");
    const mailbox = mailboxOf(await world.subscribe("queue", "q1"));
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.pass(30_000);
    assert.deepEqual(await world.counts(id), { delivered: 1, waiting: 1 });
    const leases = await leaseNow(world, mailbox);
    assert.equal(leases.length, 1);
    const now = world.clock.now();
    const ack = await world.store.ackLeases(mailbox, leases, now);
    assert.deepEqual(ack, [true]);
    assert.deepEqual(await world.counts(id), { delivered: 2 });
  });

  test("renews no lease of a consumer, and ends none", {}, async (world) => {
    const mailbox = mailboxOf(await world.subscribe("queue", "q1"));
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.settle();
    const leases = await leaseNow(world, mailbox, 20_000);
    assert.equal(leases.length, 1);
    const end = await world.store.nextLeaseEnd();
    await world.pass(30_000);
    assert.equal(await world.store.nextLeaseEnd(), end);
    assert.deepEqual(await world.counts(id), { sending: 1 });
    const ended = await world.store.endLeases(
      world.clock.now(),
      maxDeliveries,
      9,
    );
    assert.equal(ended.returned, 1);
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

  test("an ordering key goes with the message into the mailbox", {}, async (world) => {
    const mailbox = mailboxOf(await world.subscribe("queue", "q1"));
    const engine = await world.start();
    for (let n = 0; n < 2; n++) {
      await world.publish(engine, "alerts", { orderingKey: "k" });
    }
    await world.settle();
    assert.equal((await leaseNow(world, mailbox)).length, 1);
  });

  let firstMayFinish = Promise.withResolvers<void>();
  test("hands out the messages of an ordering key in their order, whichever is written first", {
    engine: { rangeSize: 2 },
    wrap(store) {
      firstMayFinish = Promise.withResolvers<void>();
      const { promise } = firstMayFinish;
      return interceptCalls(store, async (method, call, [work]) => {
        if (method === "finish" && isOfMessage(work, 1)) await promise;
        return await call();
      });
    },
  }, async (world) => {
    const mailboxes: number[] = [];
    for (let n = 0; n < 6; n++) {
      mailboxes.push(mailboxOf(await world.subscribe("queue", `q${n}`)));
    }
    const engine = await world.start();
    for (const _ of ["first", "second"]) {
      await world.publish(engine, "alerts", { orderingKey: "k" });
    }
    const got = new Map(mailboxes.map((it) => [it, [] as number[]]));
    const fetch = async () => {
      for (const [mailbox, seqs] of got) {
        const leases = await leaseNow(world, mailbox);
        seqs.push(...leases.map(({ messageSeq }) => messageSeq));
        const now = world.clock.now();
        await world.store.ackLeases(mailbox, leases, now);
      }
    };
    for (let n = 0; n < 20; n++) await fetch();
    firstMayFinish.resolve();
    await world.settle();
    for (let n = 0; n < 2; n++) await fetch();
    for (const seqs of got.values()) assert.deepEqual(seqs, [1, 2]);
  });

  test("cancels in rounds what was for a subscription that was deleted", {}, async (world) => {
    const { id, projectId, topicName } = await world.subscribe("queue", "q1");
    const engine = await world.start();
    const message = await world.publish(engine);
    await world.settle();
    const { store, clock } = world;
    await store.deleteSubscription(projectId, topicName, id, clock.now());
    assert.deepEqual(await world.counts(message), { waiting: 1 });
    await world.pass(10_000);
    assert.deepEqual(await world.counts(message), { cancelled: 1 });
  });

  test("tells of what a full mailbox did not take", {}, async (world) => {
    await world.subscribe("queue", "q1");
    await world.subscribe("queue", "q2");
    const engine = await world.start();
    for (let n = 0; n < 2; n++) await world.publish(engine);
    await world.settle();
    assert.equal(world.written.length, 0);
    const id = await world.publish(engine);
    await world.settle();
    assert.deepEqual(await world.counts(id), { failed: 2 });
    assert.deepEqual(
      world.written.map(({ outcome }) => [
        outcome.state,
        outcome.lastAttempt?.errorClass,
      ]),
      [
        ["failed", "mailbox"],
        ["failed", "mailbox"],
      ],
    );
    assert.equal(engine.status().outcomes.failed, 2);
    assert.equal(engine.status().outcomes.waiting, 4);
  });
}

function isOfMessage(work: unknown, messageSeq: number): boolean {
  const { range } = work as Partial<FinishedRange>;
  return range?.messageSeq === messageSeq;
}

function mailboxOf({ mailbox }: Subscription): number {
  assert.ok(mailbox !== undefined, "it has no mailbox");
  return mailbox;
}

async function leaseNow(world: World, mailbox: number, leaseMs = 60_000) {
  const request = { mailbox, limit: 9, leaseMs };
  const now = world.clock.now();
  const [leases = []] = await world.store.leaseMessages(
    [request],
    now,
    maxDeliveries,
  );
  return leases;
}
