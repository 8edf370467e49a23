/** What is urgent does not wait for the end of a bulk. */

import assert from "node:assert/strict";
import { addMs, type Engine, type MessageId } from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { never } from "./scripted-channel.ts";
import { projectId, type World } from "./world.ts";

const code = "+15559990000";
const other = "+15559990001";

const anyRoute = {
  round: 1,
  passedOver: false,
  hasNext: false,
  nextOnFailedReceipt: false,
  release: () => {},
};

/** One message to many, kept before an engine starts. */
async function acceptBulk(
  world: World,
  endpoints: readonly string[],
): Promise<void> {
  const createdAt = world.clock.now();
  await world.store.acceptDirectMessage(
    {
      id: "c".repeat(32) as MessageId,
      projectId,
      audience: "direct",
      content: { kind: "text", text: "hi" },
      createdAt,
      expiresAt: addMs(createdAt, 3_600_000),
      timeToLiveSeconds: 3600,
    },
    endpoints.map((endpoint) => ({
      protocol: "sms",
      endpoint,
      billable: true,
    })),
  );
}

/** A one-time password, as a program asks for it. */
async function sendCode(engine: Engine, endpoint: string): Promise<void> {
  const request = { class: "otp" };
  await engine.publisher.sendSms(projectId, endpoint, "4711", request);
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `+1555${1_000_000 + n}`);
}

export function testUrgencies({ test }: EngineCases): void {
  test("a code goes out amid a bulk to a slow provider", {}, async (world) => {
    // Each takes shorter than what is slow, and holds its slot.
    world.sms.script = async ({ endpoint }) => {
      if (endpoint !== code) {
        const { promise, resolve } = Promise.withResolvers<void>();
        world.clock.setTimer(200, resolve);
        await promise;
      }
      return { outcome: "accepted", provider: "p" };
    };
    await acceptBulk(world, numbers(5000));
    const engine = await world.start();
    await world.pass(300);
    const before = world.sms.calls.length;
    assert.ok(before > 0 && before < 500, `${before} before it`);
    assert.equal(world.sms.attemptsTo(code), 0);
    await sendCode(engine, code);
    await world.pass(1000);
    const place = world.sms.calls.indexOf(code);
    assert.ok(place >= before && place < 1000, `at ${place}`);
  });

  test("codes go out while each batch of bulk waits for a silent provider, and bulk goes on behind", {
    engine: { dueBatchSize: 4, maxDueBatches: 3, maxInFlight: 64 },
  }, async (world) => {
    const silent = numbers(120);
    world.sms.script = async ({ endpoint }) =>
      silent.includes(endpoint) ? never() : { outcome: "accepted" };
    await acceptBulk(world, silent);
    const engine = await world.start();
    await world.settle();
    // Two places are full of them, and no more were claimed.
    assert.equal(world.sms.calls.length, 8);
    // More than fit into the place that is left, one after another.
    const codes = Array.from({ length: 9 }, (_, n) => `+1777000000${n}`);
    for (const endpoint of codes) await sendCode(engine, endpoint);
    await world.settle();
    for (const endpoint of codes) {
      assert.equal(world.sms.attemptsTo(endpoint), 1, endpoint);
    }
    assert.equal(world.sms.calls.length, 8 + codes.length);
    // Before the sweeper looks: what was left is claimed once there is a place.
    await world.pass(4500);
    for (const endpoint of silent) {
      assert.equal(world.sms.attemptsTo(endpoint), 1, endpoint);
    }
  });

  test("a bulk to a slow carrier fills its places only, and is sent once each", {}, async (world) => {
    world.sms.choose = async ({ endpoint }) => ({
      ...anyRoute,
      provider: endpoint === other ? "b" : "a",
    });
    world.sms.script = async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      world.clock.setTimer(1000, resolve);
      await promise;
      return { outcome: "accepted", provider: "a" };
    };
    const endpoints = numbers(1000);
    await acceptBulk(world, endpoints);
    const engine = await world.start();
    await world.pass(500);
    assert.equal(world.sms.maxOpen, 56);
    await sendCode(engine, code);
    await engine.publisher.sendSms(projectId, other, "hello", {});
    await world.settle();
    assert.deepEqual(world.sms.calls.slice(56), [code, other]);
    await world.pass(90_000);
    assert.ok(world.sms.maxOpen <= 64 + 1, `${world.sms.maxOpen} at once`);
    for (const endpoint of endpoints) {
      assert.equal(world.sms.attemptsTo(endpoint), 1, endpoint);
    }
    // A lease after the last was given back: none is taken for lost.
    await world.pass(150_000);
    const { messages } = await world.store.listMessages(
      projectId,
      {},
      { limit: 3 },
    );
    assert.deepEqual(
      messages.map(({ counts }) => counts),
      [{ sent: 1 }, { sent: 1 }, { sent: 1000 }],
    );
  });
}
