/** Texts whose report does not come: the idle timeout, and checks on demand. */

import assert from "node:assert/strict";
import {
  type AttemptResult,
  createDeliveryChecks,
  type DeliveryCheckSettings,
  type Engine,
  type MessageId,
  toEpochMs,
} from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { projectId, type World, type WorldOptions } from "./world.ts";

const minute = 60_000;

const accepted: AttemptResult = {
  outcome: "accepted",
  receiptExpected: true,
  provider: "a",
  parts: [{ externalId: "x1" }],
};

const fromSent: WorldOptions = { engine: { idleFrom: ({ sentAt }) => sentAt } };

const fromCreated: WorldOptions = {
  engine: { idleFrom: ({ createdAt }) => createdAt },
};

function checksOf(
  world: World,
  engine: Engine,
  settings: Partial<DeliveryCheckSettings> = {},
) {
  return createDeliveryChecks({
    store: world.store,
    clock: world.clock,
    logger: world.logger,
    askCarriers: (withinMs) => engine.askCarriers(withinMs),
    settings: () => ({
      idleTimeoutMinutes: 10,
      failIdle: true,
      logIdle: true,
      ...settings,
    }),
  });
}

function idleLines(world: World) {
  return world.logger.of("texts_idle");
}

/** A text that is attempted after `delayMs`. */
async function send(
  world: World,
  engine: Engine,
  delayMs = 0,
): Promise<MessageId> {
  const { messageId } = await engine.publisher.sendSms(
    projectId,
    "+15550100001",
    "hi",
    delayMs > 0
      ? { notBefore: toEpochMs(world.clock.now() + delayMs) }
      : undefined,
  );
  await world.pass(delayMs + 1000);
  return messageId;
}

export function testIdleTexts({ test }: EngineCases): void {
  test(
    "what was silent for too long fails, with one warning for all",
    fromSent,
    async (world) => {
      world.sms.script = () => accepted;
      const engine = await world.start();
      const checks = checksOf(world, engine);
      const id = await send(world, engine);
      await world.pass(10 * minute - 2000);
      assert.equal(await checks.endIdle(), 0);
      assert.deepEqual(idleLines(world), []);
      await world.pass(2000);
      assert.equal(await checks.endIdle(), 1);
      const [delivery] = await world.deliveries(id);
      assert.deepEqual(
        [delivery?.state, delivery?.attemptCount],
        ["failed", 1],
      );
      assert.match(delivery?.attempts[0]?.error ?? "", /^timeouted/);
      assert.deepEqual(idleLines(world), [
        { count: 1, timeoutMinutes: 10, failed: true },
      ]);
      assert.equal(await checks.endIdle(), 0);
      await engine.receive({
        entry: "a",
        externalId: "x1",
        event: "deliver",
        at: world.clock.now(),
      });
      const [after] = await world.deliveries(id);
      assert.deepEqual([after?.state, after?.receipts?.length], ["failed", 1]);
    },
  );

  test(
    "from its creation it may be idle as soon as it was sent",
    fromCreated,
    async (world) => {
      world.sms.script = () => accepted;
      const engine = await world.start();
      const id = await send(world, engine, 11 * minute);
      assert.deepEqual(await world.counts(id), { sent: 1 });
      await checksOf(world, engine).run();
      assert.deepEqual(await world.counts(id), { failed: 1 });
    },
  );

  test("from its attempt on it is not", fromSent, async (world) => {
    world.sms.script = () => accepted;
    const engine = await world.start();
    const id = await send(world, engine, 11 * minute);
    await checksOf(world, engine).run();
    assert.deepEqual(await world.counts(id), { sent: 1 });
  });

  test(
    "it may stay sent, and no warning be written",
    fromSent,
    async (world) => {
      world.sms.script = () => accepted;
      const engine = await world.start();
      const id = await send(world, engine);
      await world.pass(10 * minute);
      const lenient = { failIdle: false, logIdle: false };
      const checks = checksOf(world, engine, lenient);
      assert.deepEqual(await checks.run(), {
        asked: 0,
        idle: 1,
        idleTimeoutMinutes: 10,
        failedIdle: false,
      });
      assert.deepEqual(await world.counts(id), { sent: 1 });
      assert.deepEqual(idleLines(world), []);
    },
  );

  test(
    "texts to subscribers, and those of which no report is owed, are never idle",
    fromSent,
    async (world) => {
      world.sms.script = () => accepted;
      const engine = await world.start();
      await world.subscribe("sms", "+15550100009");
      const published = await world.publish(engine);
      world.sms.script = () => ({ outcome: "accepted", provider: "a" });
      await world.settle();
      const id = await send(world, engine);
      await world.pass(20 * minute);
      assert.equal(await checksOf(world, engine).endIdle(), 0);
      assert.deepEqual(await world.counts(id), { sent: 1 });
      assert.deepEqual(await world.counts(published), { sent: 1 });
    },
  );

  test(
    "a check asks carriers first, also where a question is due later",
    fromSent,
    async (world) => {
      world.sms.script = () => ({ ...accepted, pollAfterMs: 60 * minute });
      world.sms.carriers.set("a", {
        batchSize: 10,
        answer: (ids) => ({
          outcome: "answered",
          receipts: ids.map((externalId) => ({ externalId, event: "deliver" })),
        }),
      });
      const engine = await world.start();
      const id = await send(world, engine);
      await world.pass(11 * minute);
      assert.deepEqual(world.sms.questions, []);
      const [check] = await Promise.all([
        checksOf(world, engine).run(),
        world.pass(1000),
      ]);
      assert.deepEqual([check.asked, check.idle], [1, 0]);
      assert.deepEqual(await world.counts(id), { delivered: 1 });
    },
  );

  test(
    "a check counts those that carriers were asked about: also what was due, none while they rest",
    fromSent,
    async (world) => {
      world.sms.script = (_, nth) => ({
        ...accepted,
        parts: [{ externalId: `x${nth}` }],
        pollAfterMs: 60 * minute,
      });
      const engine = await world.start();
      await send(world, engine);
      let isDown = true;
      world.sms.carriers.set("a", {
        batchSize: 10,
        answer: () =>
          isDown
            ? { outcome: "deferred", error: "down" }
            : { outcome: "answered", receipts: [] },
      });
      const check = async () => {
        const checks = checksOf(world, engine, { failIdle: false });
        const [{ asked }] = await Promise.all([checks.run(), world.pass(1000)]);
        return asked;
      };
      assert.equal(await check(), 1);
      assert.equal(world.sms.questions.length, 1);
      // It rests now.
      assert.equal(await check(), 0);
      assert.equal(world.sms.questions.length, 1);
      isDown = false;
      await world.pass(2 * 60 * minute);
      const before = world.sms.questions.length;
      // What is due by now is as good as what is brought forward.
      const sent = await send(world, engine);
      assert.ok(sent);
      assert.equal(await check(), 2);
      assert.equal(world.sms.questions.length, before + 1);
    },
  );
}
