import assert from "node:assert/strict";
import type { Engine } from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { recordCalls } from "./record-calls.ts";
import { delivered, unavailable } from "./scripted-channel.ts";
import type { World } from "./world.ts";

/** Subscribes as the service does; answers what is to be taken up. */
async function subscribe(world: World, engine: Engine, endpoint: string) {
  const lease = engine.notices.reserve();
  const { claimed } = await world.addUnconfirmed("http", endpoint, lease);
  assert.ok(claimed);
  return claimed;
}

const endpoints = Array.from({ length: 20 }, (_, n) => `http://sink.test/${n}`);

export function testNotices({ test }: EngineCases): void {
  const calls: string[] = [];
  test("sends confirmations as they are written, those of one commit together", {
    wrap: (store) => recordCalls(store, calls),
  }, async (world) => {
    const engine = await world.start();
    const notices = await Promise.all(
      endpoints.map((it) => subscribe(world, engine, it)),
    );
    await world.settle();
    calls.length = 0;
    for (const it of notices) engine.notices.take(it);
    await world.settle();
    assert.equal(world.http.calls.length, 20);
    assert.deepEqual(calls, ["finish"]);
    for (const { message } of notices) {
      assert.deepEqual(await world.counts(message.id), { delivered: 1 });
    }
  });

  test("tries a confirmation again that did not get through", {}, async (world) => {
    world.http.script = () => unavailable;
    const engine = await world.start();
    const notice = await subscribe(world, engine, "http://sink.test/");
    engine.notices.take(notice);
    await world.settle();
    const { id } = notice.message;
    assert.deepEqual(await world.counts(id), { retrying: 1 });
    world.http.script = () => delivered;
    await world.pass(60_000);
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("holds no confirmation for which it has no room, nor after its end", {
    engine: { dueBatchSize: 2 },
  }, async (world) => {
    const engine = await world.start();
    const reserve = () => engine.notices.reserve();
    const leases = [reserve(), reserve(), reserve()];
    assert.deepEqual(
      leases.map((it) => it !== undefined),
      [true, true, false],
    );
    engine.notices.take(undefined);
    assert.ok(reserve());
    let isDrained = false;
    const drained = engine.drain().then(() => {
      isDrained = true;
    });
    await world.settle();
    assert.equal(reserve(), undefined);
    // What it promised to take may be written yet.
    assert.equal(isDrained, false);
    engine.notices.take(undefined);
    engine.notices.take(undefined);
    await drained;
  });

  test("a crash between the commit and the attempt only delays a confirmation", {}, async (world) => {
    const engine = await world.start();
    const { message } = await subscribe(world, engine, "http://sink.test/");
    world.cutOff();
    await world.start();
    await world.pass(150_000);
    assert.equal(world.http.calls.length, 1);
    assert.deepEqual(await world.counts(message.id), { delivered: 1 });
  });
}
