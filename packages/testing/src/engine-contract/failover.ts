import assert from "node:assert/strict";
import {
  type AttemptResult,
  type NoRoute,
  type RouteChoice,
  type TriedAttempt,
  toEpochMs,
} from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { never } from "./scripted-channel.ts";
import { projectId, type World } from "./world.ts";

const phone = "+15550100001";
const receipt = { event: "deliver", at: toEpochMs(0) } as const;
const silenceMs = 60_000;

/** Tries providers in this order, and none again that took the text. */
function inOrder(...providers: readonly string[]) {
  return async (
    _: unknown,
    tried: readonly TriedAttempt[],
  ): Promise<RouteChoice | NoRoute> => {
    const countOf = (name: string) =>
      tried.filter(({ provider }) => provider === name).length;
    const left = providers
      .filter((name) =>
        tried.every((it) => it.provider !== name || it.outcome === "deferred"),
      )
      .sort((a, b) => countOf(a) - countOf(b));
    const [provider, ...others] = left;
    if (provider === undefined) {
      return { problem: "failed", error: "All were tried." };
    }
    const count = countOf(provider);
    return {
      provider,
      round: count + 1,
      passedOver: false,
      hasNext: others.some((name) => countOf(name) <= count),
      ...(others.length > 0 && { silenceMs }),
      nextOnFailedReceipt: others.length > 0,
      release: () => {},
    };
  };
}

/** Answers by provider, and ids that name it. */
function answering(
  world: World,
  answers: Readonly<Record<string, AttemptResult>>,
): void {
  world.sms.script = () => answers[world.sms.routes.at(-1) ?? ""];
}

function acceptedBy(name: string): AttemptResult {
  return {
    outcome: "accepted",
    parts: [{ externalId: `${name}-1` }],
    receiptExpected: true,
  };
}

const busy = {
  outcome: "deferred",
  errorClass: "provider",
  error: "Busy",
  failsOver: true,
} as const satisfies AttemptResult;

async function deliveryOf(world: World) {
  const { messages } = await world.store.listMessages(
    projectId,
    {},
    { limit: 1 },
  );
  const seq = messages[0]?.message.seq ?? 0;
  const delivery = await world.store.findDelivery(seq, 0);
  assert.ok(delivery);
  return delivery;
}

export function testFailover({ test }: EngineCases): void {
  test("puts on record whom it calls, and calls no other", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    const seen: unknown[] = [];
    world.sms.script = async () => {
      const { provider, state, attempts } = await deliveryOf(world);
      seen.push([provider, state, attempts.length]);
      return acceptedBy("a");
    };
    const engine = await world.start();
    await engine.publisher.sendSms(projectId, phone, "hi");
    await world.settle();
    assert.deepEqual(seen, [["a", "sending", 0]]);
    assert.deepEqual(world.sms.routes, ["a"]);
    const { attempts, externalId, receiptExpected } = await deliveryOf(world);
    assert.deepEqual(
      attempts.map(({ provider, outcome }) => [provider, outcome]),
      [["a", "accepted"]],
    );
    assert.equal(externalId, "a-1");
    assert.equal(receiptExpected, true);
  });

  test("ends what is held, with its reason and without an attempt", {}, async (world) => {
    world.sms.choose = async () => ({ problem: "held", error: "Too many." });
    const engine = await world.start();
    await engine.publisher.sendSms(projectId, phone, "hi");
    await world.settle();
    assert.deepEqual(world.sms.routes, []);
    const { state, attemptCount, attempts, provider } = await deliveryOf(world);
    assert.deepEqual([state, attemptCount], ["suppressed", 0]);
    assert.equal(provider, undefined);
    assert.deepEqual(
      attempts.map(({ errorClass, error }) => [errorClass, error]),
      [["guard", "Too many."]],
    );
  });

  for (const [problem, state] of [
    ["held", "suppressed"],
    ["failed", "failed"],
  ] as const) {
    test(`tells that what is ${problem} has ended without an attempt`, {}, async (world) => {
      world.sms.choose = async () => ({ problem, error: "No." });
      const engine = await world.start();
      await engine.publisher.sendSms(projectId, phone, "hi");
      await world.settle();
      assert.deepEqual(
        world.written.map((it) => [it.outcome.state, it.isWithoutAttempt]),
        [[state, true]],
      );
    });
  }

  test("tells nothing of what is only put off", {}, async (world) => {
    world.sms.choose = async () => ({ problem: "wait", error: "Not yet." });
    const engine = await world.start();
    await engine.publisher.sendSms(projectId, phone, "hi");
    for (let n = 0; n < 20; n++) await world.clock.advanceSettled(1000);
    // Given back, whenever the store answers.
    await world.settle();
    assert.equal((await deliveryOf(world)).state, "waiting");
    assert.deepEqual(world.written, []);
  });

  test("leaves what a carrier has as it is when the next text is held", {}, async (world) => {
    const choose = inOrder("a", "b");
    world.sms.choose = async (to, tried) =>
      tried.length === 0
        ? await choose(to, tried)
        : { problem: "held", error: "Too many." };
    answering(world, { a: acceptedBy("a"), b: acceptedBy("b") });
    const engine = await world.start();
    await engine.publisher.sendSms(projectId, phone, "hi");
    await world.settle();
    await world.pass(2 * silenceMs);
    assert.deepEqual(world.sms.routes, ["a"]);
    assert.equal((await deliveryOf(world)).state, "sent");
  });

  test("tries the next provider at once, and waits when all were tried", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    answering(world, { a: busy, b: busy });
    const engine = await world.start();
    await engine.publisher.sendSms(projectId, phone, "hi");
    await world.settle();
    assert.deepEqual(world.sms.routes, ["a", "b"]);
    // SMN's schedule: 5 s after the first round, 15 s after the second.
    await world.pass(4000);
    assert.equal(world.sms.routes.length, 2);
    await world.pass(3000);
    assert.deepEqual(world.sms.routes, ["a", "b", "a", "b"]);
    await world.pass(12_000);
    assert.equal(world.sms.routes.length, 4);
    answering(world, { a: acceptedBy("a") });
    await world.pass(10_000);
    const { state, attempts } = await deliveryOf(world);
    assert.equal(state, "sent");
    assert.equal(attempts.length, 5);
  });

  test("a choice that fails costs its own delivery only", {}, async (world) => {
    const choose = inOrder("a");
    let isDefective = true;
    world.sms.choose = async (recipient, tried) => {
      if (isDefective && recipient.endpoint === phone) throw new Error("No.");
      return await choose(recipient, tried);
    };
    answering(world, { a: acceptedBy("a") });
    const engine = await world.start();
    const bad = await engine.publisher.sendSms(projectId, phone, "hi");
    const good = await engine.publisher.sendSms(
      projectId,
      "+15550100002",
      "hi",
    );
    await world.pass(60_000);
    assert.deepEqual(await world.counts(good.messageId), { sent: 1 });
    assert.deepEqual(await world.counts(bad.messageId), { waiting: 1 });
    assert.deepEqual(world.sms.routes, ["a"]);
    isDefective = false;
    await world.pass(20_000);
    assert.deepEqual(await world.counts(bad.messageId), { sent: 1 });
  });

  const allPaused: NoRoute = {
    problem: "wait",
    error: "All are paused.",
    waitMs: 300_000,
    waitReason: "paused",
  };

  test("what waits for a reason says so, and goes on at once when it ends", {}, async (world) => {
    const choose = inOrder("a");
    let isPaused = true;
    world.sms.choose = async (recipient, tried) =>
      isPaused ? allPaused : await choose(recipient, tried);
    answering(world, { a: acceptedBy("a") });
    const engine = await world.start();
    const { messageId } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.pass(60_000);
    const { waitReason, attempts } = await deliveryOf(world);
    assert.deepEqual([waitReason, attempts], ["paused", []]);
    isPaused = false;
    await engine.makeDue("paused");
    await world.settle();
    assert.deepEqual(await world.counts(messageId), { sent: 1 });
    assert.equal((await deliveryOf(world)).waitReason, undefined);
  });

  test("goes on although the reason ended between the choice and its write", {}, async (world) => {
    const choose = inOrder("a");
    let isPaused = true;
    const asked = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    world.sms.choose = async (recipient, tried) => {
      if (!isPaused) return await choose(recipient, tried);
      asked.resolve();
      await goOn.promise;
      return allPaused;
    };
    answering(world, { a: acceptedBy("a") });
    const engine = await world.start();
    const { messageId } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await asked.promise;
    isPaused = false;
    await engine.makeDue("paused");
    goOn.resolve();
    await world.settle();
    assert.deepEqual(await world.counts(messageId), { sent: 1 });
  });

  test("what waits for a reason ends with its life", {}, async (world) => {
    world.sms.choose = async () => allPaused;
    const engine = await world.start();
    const { messageId } = await engine.publisher.send(
      projectId,
      [{ protocol: "sms", endpoint: phone }],
      { text: "hi", timeToLive: 60 },
    );
    await world.pass(61_000);
    assert.deepEqual(await world.counts(messageId), { expired: 1 });
  });

  test("offers what an operator has sent again to all of them anew", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    const refused = { ...busy, outcome: "rejected" } as const;
    answering(world, { a: refused, b: refused });
    const engine = await world.start();
    const { messageId: id } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.settle();
    assert.deepEqual(world.sms.routes, ["a", "b"]);
    assert.deepEqual(await world.counts(id), { rejected: 1 });
    answering(world, { a: busy, b: acceptedBy("b") });
    const { messageSeq } = await deliveryOf(world);
    await world.store.actOnDelivery(
      { messageSeq, target: 0 },
      {
        action: "resend",
        now: world.clock.now(),
        lives: {},
        pullProtocols: [],
      },
      { userId: "u1", userName: "ada" },
    );
    await world.pass(6000);
    assert.deepEqual(world.sms.routes, ["a", "b", "a", "b"]);
    assert.deepEqual(await world.counts(id), { sent: 1 });
  });

  test("tries the next one after a refusal of the first, and never after a guess", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    const refused = {
      outcome: "rejected",
      errorClass: "provider",
      error: "No credit",
      failsOver: true,
    } as const;
    answering(world, { a: refused, b: acceptedBy("b") });
    const engine = await world.start();
    await engine.publisher.sendSms(projectId, phone, "hi");
    await world.settle();
    assert.deepEqual(world.sms.routes, ["a", "b"]);
    const lost = { ...refused, outcome: "unknown", failsOver: false } as const;
    answering(world, { a: lost });
    const { messageId: id } = await engine.publisher.sendSms(
      projectId,
      phone,
      "two",
    );
    await world.pass(600_000);
    assert.deepEqual(world.sms.routes.slice(2), ["a"]);
    assert.deepEqual(await world.counts(id), { unknown: 1 });
  });

  test("tries the next one after silence, also by another engine", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    answering(world, { a: acceptedBy("a"), b: acceptedBy("b") });
    const first = await world.start();
    const { messageId: id } = await first.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.pass(silenceMs / 2);
    assert.deepEqual(world.sms.routes, ["a"]);
    world.cutOff();
    const second = await world.start();
    await world.pass(silenceMs / 2 + 10_000);
    assert.deepEqual(world.sms.routes, ["a", "b"]);
    assert.deepEqual(await world.counts(id), { sent: 1 });
    // Nobody stands after the second.
    await world.pass(10 * silenceMs);
    assert.equal(world.sms.routes.length, 2);
    await second.receive({ ...receipt, entry: "a", externalId: "a-1" });
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("silence that is broken ends the wait", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    answering(world, { a: acceptedBy("a") });
    const engine = await world.start();
    const { messageId: id } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.settle();
    await engine.receive({ ...receipt, entry: "a", externalId: "a-1" });
    await world.pass(10 * silenceMs);
    assert.deepEqual(world.sms.routes, ["a"]);
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("a text stays sent when no other provider is left after silence", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    answering(world, { a: acceptedBy("a") });
    const engine = await world.start();
    const { messageId: id } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.settle();
    world.sms.choose = inOrder("a");
    world.cutOff();
    await world.start();
    await world.pass(2 * silenceMs);
    assert.deepEqual(world.sms.routes, ["a"]);
    assert.deepEqual(await world.counts(id), { sent: 1 });
    assert.equal((await deliveryOf(world)).attempts.length, 1);
  });

  test("tries the next one after a failed receipt, and fails after the last", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    answering(world, { a: acceptedBy("a"), b: acceptedBy("b") });
    const engine = await world.start();
    const { messageId: id } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.settle();
    const failed = { event: "fail", at: world.clock.now() } as const;
    // The same id of another entry is another text.
    await engine.receive({ ...failed, entry: "b", externalId: "a-1" });
    await world.settle();
    assert.deepEqual(world.sms.routes, ["a"]);
    const text = "absent subscriber";
    await engine.receive({ ...failed, entry: "a", externalId: "a-1", text });
    await world.settle();
    assert.deepEqual(world.sms.routes, ["a", "b"]);
    await engine.receive({ ...failed, entry: "b", externalId: "b-1" });
    await world.pass(600_000);
    assert.deepEqual(world.sms.routes, ["a", "b"]);
    assert.deepEqual(await world.counts(id), { failed: 1 });
    const { attempts, receipts } = await deliveryOf(world);
    assert.deepEqual(
      attempts.map(({ provider, outcome }) => [provider, outcome]),
      [
        ["a", "failed"],
        ["b", "accepted"],
      ],
    );
    assert.match(attempts[0]?.error ?? "", /absent subscriber/);
    assert.equal(receipts?.length, 2);
  });

  test("a crash during the call leaves it unknown, with whom was called", {}, async (world) => {
    world.sms.choose = inOrder("a", "b");
    world.sms.script = never;
    const engine = await world.start();
    const { messageId: id } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.settle();
    world.cutOff();
    await world.start();
    await world.pass(600_000);
    assert.deepEqual(world.sms.routes, ["a"]);
    assert.deepEqual(await world.counts(id), { unknown: 1 });
    const { attempts } = await deliveryOf(world);
    assert.deepEqual(
      attempts.map(({ provider, outcome }) => [provider, outcome]),
      [["a", "unknown"]],
    );
  });

  test("a crash before the call leaves it due, and it is called once", {}, async (world) => {
    world.sms.choose = never;
    answering(world, { a: acceptedBy("a") });
    const engine = await world.start();
    const { messageId: id } = await engine.publisher.sendSms(
      projectId,
      phone,
      "hi",
    );
    await world.settle();
    assert.deepEqual(await world.counts(id), { sending: 1 });
    world.cutOff();
    world.sms.choose = inOrder("a");
    await world.start();
    await world.pass(10_000);
    assert.deepEqual(world.sms.routes, ["a"]);
    assert.deepEqual(await world.counts(id), { sent: 1 });
  });
}
