import assert from "node:assert/strict";
import type { EngineCases } from "./cases.ts";
import { delivered, never, unavailable } from "./scripted-channel.ts";

const hour = 3_600_000;

export function testRetries({ test }: EngineCases): void {
  test("retries on schedule and keeps every attempt", {
    subscribers: 1,
  }, async (world) => {
    world.http.script = (_, nth) => (nth < 4 ? unavailable : delivered);
    const id = await world.publish(await world.start());
    await world.settle();
    assert.deepEqual(await world.counts(id), { retrying: 1 });
    await world.pass(4900);
    assert.equal(world.http.calls.length, 1);
    // Up to a fifth of the delay is added by chance.
    await world.pass(1200);
    assert.equal(world.http.calls.length, 2);
    await world.pass(120_000);
    assert.deepEqual(await world.counts(id), { delivered: 1 });
    const [delivery] = await world.deliveries(id);
    assert.equal(delivery?.attemptCount, 4);
    assert.deepEqual(
      delivery?.attempts.map(({ statusCode }) => statusCode),
      [503, 503, 503, 200],
    );
  });

  test("gives up after the last retry and says why", {
    subscribers: 1,
  }, async (world) => {
    world.http.script = () => unavailable;
    const id = await world.publish(await world.start());
    await world.pass(hour);
    assert.deepEqual(await world.counts(id), { failed: 1 });
    assert.equal(world.http.calls.length, 7);
    const [delivery] = await world.deliveries(id);
    assert.match(delivery?.attempts.at(-1)?.error ?? "", /503/);
  });

  test("a receiver's no is final at once", {
    subscribers: 1,
  }, async (world) => {
    world.http.script = () => ({
      outcome: "rejected",
      errorClass: "http_status",
      error: "404 Not Found",
      statusCode: 404,
    });
    const id = await world.publish(await world.start());
    await world.pass(hour);
    assert.deepEqual(await world.counts(id), { rejected: 1 });
    assert.equal(world.http.calls.length, 1);
  });

  test("a slow receiver is deferred and its late answer counts", {
    subscribers: 2,
  }, async (world) => {
    const late = Promise.withResolvers<unknown>();
    world.http.script = ({ endpoint }) =>
      endpoint.endsWith("/0") ? late.promise : delivered;
    const id = await world.publish(await world.start());
    await world.pass(300);
    assert.deepEqual(await world.counts(id), { sending: 1, delivered: 1 });
    late.resolve(delivered);
    await world.settle();
    assert.deepEqual(await world.counts(id), { delivered: 2 });
    await world.pass(hour);
    assert.equal(world.http.calls.length, 2);
  });

  test("one hanging endpoint does not hold up hundreds of others", {
    subscribers: 300,
  }, async (world) => {
    world.http.script = ({ endpoint }) =>
      endpoint.endsWith("/150") ? never() : delivered;
    const engine = await world.start();
    const ids = [];
    for (let i = 0; i < 10; i++) ids.push(await world.publish(engine));
    await world.pass(300);
    for (const id of ids) {
      assert.equal((await world.counts(id)).delivered, 299);
    }
  });

  test("a queue for one slow endpoint stops no retry, text or confirmation", {
    subscribers: 0,
  }, async (world) => {
    await world.subscribe("http", "http://slow.test/");
    await world.addTopic("other");
    await world.subscribe("http", "http://quick.test/", "other");
    await world.subscribe("sms", "+15550100001", "other");
    world.http.script = ({ endpoint }, nth) => {
      if (endpoint === "http://quick.test/") {
        return nth === 1 ? unavailable : delivered;
      }
      return new Promise((resolve) => {
        world.clock.setTimer(3000, () => resolve(delivered));
      });
    };
    const engine = await world.start();
    const slow = [];
    for (let i = 0; i < 130; i++) slow.push(await world.publish(engine));
    await world.pass(2000);
    const quick = await world.publish(engine, "other");
    await world.pass(8000);
    assert.deepEqual(
      (await world.deliveries(quick)).map(({ state }) => state),
      ["delivered", "delivered"],
    );
    await world.pass(120_000);
    for (const id of slow) {
      assert.deepEqual(await world.counts(id), { delivered: 1 });
    }
    assert.equal(world.http.attemptsTo("http://slow.test/"), 130);
    assert.equal(world.logger.count("write_waits"), 0);
  });

  test("a message that expires before its turn says so", {
    subscribers: 1,
  }, async (world) => {
    world.http.script = () => unavailable;
    const id = await world.publish(await world.start());
    await world.settle();
    world.clock.jump(7 * 24 * hour);
    await world.pass(6000);
    assert.deepEqual(await world.counts(id), { expired: 1 });
    assert.equal(world.http.calls.length, 1);
  });

  test("a clock that is set back and forth loses and repeats nothing", {
    subscribers: 20,
  }, async (world) => {
    world.http.script = (_, nth) => (nth < 3 ? unavailable : delivered);
    const engine = await world.start();
    const ids = [];
    for (const ms of [hour, -2 * hour, hour]) {
      ids.push(await world.publish(engine));
      await world.pass(7000);
      world.clock.jump(ms);
    }
    // No later than without: the last retry comes 20 s after the last message.
    await world.pass(30_000);
    for (const id of ids) {
      assert.deepEqual(await world.counts(id), { delivered: 20 });
    }
    assert.equal(world.http.attemptsTo("http://sink.test/0"), 2 + ids.length);
  });
}
