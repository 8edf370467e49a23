import assert from "node:assert/strict";
import type { Engine, MessageReport } from "@carillon/core";
import { cancelMessage } from "../store-contract/message-cancellation.ts";
import type { EngineCases } from "./cases.ts";
import { recordCalls } from "./record-calls.ts";
import { delivered, never, unavailable } from "./scripted-channel.ts";
import { projectId, urnOf } from "./world.ts";

export function testFanOut(
  { test }: EngineCases,
  manySubscribers: number,
): void {
  test("fans a message out to every subscriber, range by range", {
    subscribers: 432,
    engine: { rangeSize: 50 },
  }, async (world) => {
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.settle();
    assert.equal(world.http.calls.length, 432);
    assert.equal(new Set(world.http.calls).size, 432);
    const { counts, fannedOut } = await world.report(id);
    assert.deepEqual(counts, { delivered: 432 });
    assert.equal(fannedOut, true);
    assert.equal(engine.status().accepted, 1);
    assert.equal(engine.status().outcomes.delivered, 432);
  });

  test("says when a message is fanned out, whichever engine did it", {
    subscribers: 432,
    engine: { rangeSize: 50 },
  }, async (world) => {
    const [one, other] = [await world.start(), world.create()];
    const id = await world.publish(one);
    const ended: Partial<Record<string, MessageReport["counts"]>> = {};
    for (const [name, engine] of Object.entries({ one, other })) {
      void engine
        .whenFannedOut(projectId, id, { withinMs: 10_000 })
        .then((report) => {
          assert.equal(report?.fannedOut, true);
          ended[name] = report.counts;
        });
    }
    await world.settle();
    assert.deepEqual(ended.one, { delivered: 432 });
    // What others did is found by a look now and then.
    await world.pass(250);
    assert.deepEqual(ended.other, { delivered: 432 });
  });

  test("answers who waits for a fan-out when it is drained", {
    subscribers: 1,
  }, async (world) => {
    world.http.script = () =>
      new Promise((resolve) => {
        world.clock.setTimer(100, () => resolve(delivered));
      });
    const engine = await world.start();
    const id = await world.publish(engine);
    const wait = engine.whenFannedOut(projectId, id, { withinMs: 10_000 });
    await world.settle();
    const drained = engine.drain();
    await world.pass(100);
    await drained;
    // What was under way is written before.
    assert.deepEqual((await wait)?.counts, { delivered: 1 });
  });

  test("begins as many attempts as a channel takes, and counts none of the others", {
    subscribers: 60,
  }, async (world) => {
    world.http.bound = 3;
    world.http.script = () =>
      new Promise((resolve) => {
        world.clock.setTimer(1000, () => resolve(delivered));
      });
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.pass(10 * 60_000);
    assert.deepEqual((await world.report(id)).counts, { delivered: 60 });
    assert.equal(world.http.maxOpen, 3);
    for (const { attemptCount } of await world.deliveries(id)) {
      assert.equal(attemptCount, 1);
    }
    assert.equal(engine.status().attempts, 60);
  });

  test("leaves out those whose filter policies or protocol do not match", {}, async (world) => {
    const levels: Readonly<Record<string, readonly string[]>> = {
      "http://sink.test/high": ["high", "highest"],
      "http://sink.test/low": ["low"],
      "http://sink.test/any": [],
    };
    for (const [endpoint, stringEquals] of Object.entries(levels)) {
      const { id } = await world.subscribe("http", endpoint);
      await world.store.updateSubscription(projectId, "alerts", id, {
        filterPolicies:
          stringEquals.length === 0 ? [] : [{ name: "level", stringEquals }],
      });
    }
    await world.subscribe("sms", "+491514325678");
    const engine = await world.start();
    const published = await engine.publisher.publish(
      projectId,
      urnOf("alerts"),
      {
        text: "Disk is full",
        attributes: [
          { name: "level", type: "STRING", value: "high" },
          { name: "smn_protocol", type: "PROTOCOL", value: ["http"] },
        ],
      },
    );
    const id = published.messageId;
    await world.settle();
    assert.deepEqual(world.http.calls.toSorted(), [
      "http://sink.test/any",
      "http://sink.test/high",
    ]);
    assert.deepEqual(world.sms.calls, []);
    assert.deepEqual(await world.counts(id), { delivered: 2, filtered: 2 });
    assert.equal(engine.status().outcomes.filtered, 2);
    const all = await world.deliveries(id);
    assert.deepEqual(
      all
        .filter(({ state }) => state === "filtered")
        .map(({ endpoint, attemptCount, attempts: [attempt] }) => [
          endpoint,
          attemptCount,
          attempt?.errorClass,
          attempt?.error,
        ]),
      [
        [
          "http://sink.test/low",
          0,
          "filtered",
          "The message's attribute level is none of: low.",
        ],
        [
          "+491514325678",
          0,
          "filtered",
          "The message is meant for other protocols.",
        ],
      ],
    );
  });

  test("a message without attributes passes no filter policy", {}, async (world) => {
    const { id: subscriptionId } = await world.subscribe("http", "http://a/");
    await world.store.updateSubscription(projectId, "alerts", subscriptionId, {
      filterPolicies: [{ name: "level", stringEquals: ["high"] }],
    });
    const id = await world.publish(await world.start());
    await world.settle();
    assert.deepEqual(world.http.calls, []);
    assert.deepEqual(await world.counts(id), { filtered: 1 });
  });

  test("everything arrives though every hint is lost", {
    subscribers: 120,
    lossy: true,
    engine: { rangeSize: 50 },
  }, async (world) => {
    world.http.script = (_, nth) => (nth === 1 ? unavailable : delivered);
    const id = await world.publish(await world.start());
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 120 });
  });

  test("a message accepted under overload is delivered later", {
    subscribers: 1,
  }, async (world) => {
    const gate = Promise.withResolvers<unknown>();
    world.http.script = () => gate.promise;
    const engine = await world.start();
    const ids = [];
    for (let i = 0; i < 150; i++) ids.push(await world.publish(engine));
    gate.resolve(delivered);
    world.http.script = () => delivered;
    await world.pass(60_000);
    for (const id of ids) {
      assert.deepEqual(await world.counts(id), { delivered: 1 });
    }
    assert.equal(world.http.calls.length, 150);
  });

  const calls: string[] = [];
  test("claims the ranges of small messages by the dozen", {
    subscribers: 1,
    engine: { maxInFlight: 400, laneInFlight: 400 },
    wrap: (store) => recordCalls(store, calls),
  }, async (world) => {
    const answers: (() => void)[] = [];
    world.http.script = () =>
      new Promise((resolve) => answers.push(() => resolve(delivered)));
    const engine = await world.start();
    for (let n = 0; n < 400; n++) await world.publish(engine);
    await world.settle();
    assert.ok(answers.length < 300, "It has room for all.");
    calls.length = 0;
    for (const answer of answers.splice(0, 100)) {
      answer();
      await world.settle();
    }
    const claims = calls.filter((it) => it === "claim").length;
    assert.ok(claims > 0 && claims < 5, `${claims} claims`);
  });

  test("two engines on one store share a topic evenly", {
    subscribers: manySubscribers,
    // An engine that is full has a tenth of the audience.
    engine: {
      rangeSize: manySubscribers / 40,
      maxInFlight: manySubscribers / 40,
      laneInFlight: 100,
    },
  }, async (world) => {
    // Each attempt takes a while: an engine that is full leaves the rest.
    world.http.script = () =>
      new Promise((resolve) => {
        world.clock.setTimer(20, () => resolve(delivered));
      });
    const engines = [world.create(), world.create()];
    for (const engine of engines) await engine.start();
    const id = await world.publish(engines[0] as Engine);
    await world.pass(10_000);
    assert.deepEqual(await world.counts(id), { delivered: manySubscribers });
    assert.equal(world.http.calls.length, manySubscribers);
    for (const engine of engines) {
      const share = engine.status().attempts / manySubscribers;
      assert.ok(share > 0.45 && share < 0.55, `a share of ${share}`);
    }
  });

  test("a message published while a long one is worked does not wait for its end", {
    subscribers: 5000,
    engine: { rangeSize: 100 },
  }, async (world) => {
    await world.addTopic("short");
    await world.subscribe("http", "http://short.test/", "short");
    let before = 0;
    world.http.script = ({ endpoint }) => {
      if (endpoint === "http://short.test/") before = world.http.calls.length;
      return new Promise((resolve) => {
        world.clock.setTimer(20, () => resolve(delivered));
      });
    };
    const engine = await world.start();
    await world.publish(engine);
    await world.pass(100);
    await world.publish(engine, "short");
    await world.pass(60_000);
    assert.equal(world.http.calls.length, 5001);
    assert.ok(before < 3000, `it came after ${before}`);
  });

  test("what a dead engine held of a topic is taken over by the others", {
    subscribers: 300,
    engine: { leaseMs: 15_000, rangeSize: 20, maxInFlight: 20 },
  }, async (world) => {
    world.http.script = never;
    const dead = await world.start();
    const id = await world.publish(dead);
    await world.settle();
    const begun = world.http.calls.length;
    assert.ok(begun > 0 && begun < 300, `${begun} begun`);
    // It dies: nothing of it is renewed or written any more.
    world.cutOff();
    world.http.script = () => delivered;
    const others = [world.create(), world.create()];
    for (const other of others) await other.start();
    await world.pass(40_000);
    assert.deepEqual(await world.counts(id), { delivered: 300 });
    assert.equal(new Set(world.http.calls).size, 300);
  });

  test("deleting a topic cancels what is not under way, and records what is", {
    subscribers: 200,
    engine: { rangeSize: 20, maxInFlight: 10 },
  }, async (world) => {
    const answers: ((value: unknown) => void)[] = [];
    world.http.script = () => new Promise((resolve) => answers.push(resolve));
    // Room for one range only: the other is nobody's when the topic goes.
    const engine = await world.start();
    const id = await world.publish(engine);
    const later = await world.publish(engine);
    await world.settle();
    const underWay = answers.length;
    assert.ok(underWay > 0 && underWay < 400, `${underWay} under way`);
    await world.store.deleteTopic(projectId, "alerts", world.clock.now());
    for (const answer of answers) answer(delivered);
    world.http.script = () => delivered;
    await world.pass(60_000);
    let settled = 0;
    for (const message of [id, later]) {
      const { counts, fannedOut } = await world.report(message);
      assert.equal(fannedOut, true);
      const { delivered: done = 0, cancelled = 0 } = counts;
      assert.deepEqual(counts, {
        ...(done && { delivered: done }),
        ...(cancelled && { cancelled }),
      });
      settled += done + cancelled;
    }
    assert.equal(settled, 400);
    const all = [
      ...(await world.deliveries(id)),
      ...(await world.deliveries(later)),
    ];
    const cancelled = all.find(({ state }) => state === "cancelled");
    assert.ok(cancelled, "nothing was left to cancel");
    assert.match(cancelled.attempts[0]?.error ?? "", /topic was deleted/);
  });

  test("a message that is cancelled begins no attempt of what is held", {
    subscribers: 200,
    engine: { rangeSize: 50, maxInFlight: 10 },
  }, async (world) => {
    const answers: ((value: unknown) => void)[] = [];
    world.http.script = () => new Promise((resolve) => answers.push(resolve));
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.settle();
    assert.equal(answers.length, 10);
    const { message } = await world.report(id);
    await cancelMessage(world.store, message.seq);
    await world.settle();
    for (const answer of answers) answer(delivered);
    await world.pass(60_000);
    assert.equal(world.http.calls.length, 10);
    const { fannedOut, counts } = await world.report(id);
    assert.equal(fannedOut, true);
    assert.equal(counts.delivered, 10);
    // What an engine held is explained; what nobody held has no deliveries.
    assert.ok((counts.cancelled ?? 0) >= 40, JSON.stringify(counts));
    // Others go on.
    world.http.script = () => delivered;
    const next = await world.publish(engine);
    await world.pass(1000);
    assert.deepEqual(await world.counts(next), { delivered: 200 });
  });

  test("bad messages are refused and nothing is kept", {}, async (world) => {
    const { publisher } = await world.start();
    const good = urnOf("alerts");
    const bad: readonly [string, object, string][] = [
      ["alerts", { text: "x" }, "TOPIC_URN_INVALID"],
      [`${good}x`, { text: "x" }, "TOPIC_NOT_FOUND"],
      [good, {}, "MESSAGE_INVALID"],
      [good, { text: "x", subject: "s".repeat(513) }, "SUBJECT_INVALID"],
      [good, { structure: "{}" }, "MESSAGE_STRUCTURE_INVALID"],
      [good, { text: "x", timeToLive: "soon" }, "TIME_TO_LIVE_INVALID"],
    ];
    for (const [urn, request, code] of bad) {
      await assert.rejects(publisher.publish(projectId, urn, request), {
        code,
      });
    }
    const foreign = good.replaceAll("1".repeat(32), "2".repeat(32));
    await assert.rejects(publisher.publish(projectId, foreign, { text: "x" }), {
      code: "TOPIC_NOT_FOUND",
    });
    const { messages: kept } = await world.store.listMessages(
      projectId,
      {},
      { limit: 10 },
    );
    assert.deepEqual(kept, []);
  });
}
