import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

test("runs so many at once, keeps so many waiting and refuses the rest", async () => {
  const limit = new ConcurrencyLimit({ max: 2, maxWaiting: 3 });
  const gate = Promise.withResolvers<void>();
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const start = (n: number) =>
    limit.run(async () => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      order.push(n);
      return n;
    });
  const accepted = [1, 2, 3, 4, 5].map(start);
  assert.equal(limit.isFull, true);
  await assert.rejects(start(6), { code: "OVERLOADED" });
  assert.deepEqual([limit.running, limit.waiting], [2, 3]);
  gate.resolve();
  assert.deepEqual(await Promise.all(accepted), [1, 2, 3, 4, 5]);
  assert.equal(most, 2);
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
  assert.deepEqual([limit.running, limit.waiting], [0, 0]);
});

test("goes on after a task that failed", async () => {
  const limit = new ConcurrencyLimit({ max: 1, maxWaiting: 1 });
  const failing = limit.run(async () => {
    throw new Error("failed");
  });
  const next = limit.run(async () => "done");
  await assert.rejects(failing, /failed/);
  assert.equal(await next, "done");
  assert.equal(await limit.run(async () => "again"), "again");
});

test("a task that throws before its first await gives its place back", async () => {
  const limit = new ConcurrencyLimit({ max: 1 });
  await assert.rejects(
    limit.run(() => {
      throw new Error("failed");
    }),
    /failed/,
  );
  assert.equal(limit.running, 0);
});

test("whoever waited longest is served first", async () => {
  const limit = new ConcurrencyLimit({ max: 2 });
  assert.equal(limit.tryAcquire(), true);
  assert.equal(limit.tryAcquire(), true);
  assert.equal(limit.tryAcquire(), false);
  const served: number[] = [];
  const expected = Array.from({ length: 3000 }, (_, i) => i);
  const waiting = expected.map((i) =>
    limit.acquire().then(() => served.push(i)),
  );
  for (const _ of expected) limit.release();
  await Promise.all(waiting);
  assert.deepEqual(served, expected);
  assert.equal(limit.running, 2);
  limit.release();
  limit.release();
  assert.equal(limit.running, 0);
});

test("a place given back is not taken from whoever waits", async () => {
  const limit = new ConcurrencyLimit({ max: 1 });
  limit.tryAcquire();
  const next = limit.acquire();
  limit.release();
  assert.equal(limit.tryAcquire(), false);
  await next;
  assert.equal(limit.running, 1);
});

test("an abort takes out the one who waits, wherever it stands", async () => {
  const limit = new ConcurrencyLimit({ max: 1, maxWaiting: 3 });
  limit.tryAcquire();
  for (const place of [0, 1, 2]) {
    const controllers = [0, 1, 2].map(() => new AbortController());
    const order: number[] = [];
    const waiting = controllers.map(({ signal }, i) =>
      limit.acquire({ signal }).then(() => order.push(i)),
    );
    controllers[place]?.abort(new Error("gave up"));
    await assert.rejects(waiting[place] ?? Promise.resolve(), /gave up/);
    assert.deepEqual([limit.waiting, limit.isFull], [2, false]);
    limit.release();
    limit.release();
    await Promise.allSettled(waiting);
    assert.deepEqual(
      order,
      [0, 1, 2].filter((i) => i !== place),
    );
    assert.deepEqual([limit.running, limit.waiting], [1, 0]);
  }
});

test("an abort after the turn came changes nothing", async () => {
  const limit = new ConcurrencyLimit({ max: 1 });
  const controller = new AbortController();
  limit.tryAcquire();
  const next = limit.acquire({ signal: controller.signal });
  const last = limit.acquire();
  limit.release();
  controller.abort();
  await next;
  assert.deepEqual([limit.running, limit.waiting], [1, 1]);
  limit.release();
  await last;
});

test("nobody joins with a signal that is aborted already", async () => {
  const limit = new ConcurrencyLimit({ max: 1 });
  const signal = AbortSignal.abort(new Error("too late"));
  await assert.rejects(limit.acquire({ signal }), /too late/);
  await assert.rejects(
    limit.run(async () => assert.fail("It ran."), { signal }),
    /too late/,
  );
  assert.equal(limit.running, 0);
});

test("those who were served are not held though somebody always waits", async () => {
  const limit = new ConcurrencyLimit({ max: 1 });
  assert.equal(limit.tryAcquire(), true);
  let oldest: WeakRef<Promise<void>> | undefined;
  let ahead = limit.acquire();
  for (let i = 0; i < 5000; i++) {
    const next = limit.acquire();
    oldest ??= new WeakRef(next);
    limit.release();
    await ahead;
    ahead = next;
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
  collectGarbage();
  assert.equal(oldest?.deref(), undefined, "a promise of long ago is held");
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

test("it is noted at once that a place is taken", async () => {
  const limit = new ConcurrencyLimit({ max: 1 });
  const taken: string[] = [];
  const first = limit.acquire({ onTaken: () => taken.push("first") });
  const second = limit.acquire({ onTaken: () => taken.push("second") });
  assert.deepEqual(taken, ["first"]);
  limit.release();
  assert.deepEqual(taken, ["first", "second"]);
  await Promise.all([first, second]);
});
