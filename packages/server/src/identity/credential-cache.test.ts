import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { CredentialCache } from "./credential-cache.ts";

interface Thing {
  readonly version: number;
}

/** A cache over look-ups that the test answers when, and as, it likes. */
function setUp(options: { maxEntries?: number; maxAgeMs?: number } = {}) {
  const clock = new ManualClock();
  const cache = new CredentialCache<Thing>({
    clock,
    maxEntries: 10,
    maxAgeMs: 1000,
    ...options,
  });
  const loads: PromiseWithResolvers<Thing | undefined>[] = [];
  const find = (key: string) =>
    cache.find(key, () => {
      const load = Promise.withResolvers<Thing | undefined>();
      loads.push(load);
      return load.promise;
    });
  /** What is found with a store that answers at once. */
  const fill = async (key: string, version: number) => {
    const found = find(key);
    loads.at(-1)?.resolve({ version });
    await found;
  };
  const isCached = (key: string) => !(find(key) instanceof Promise);
  return { cache, clock, loads, find, fill, isCached };
}

test("drops what was looked up longest ago when it is full", async () => {
  const { cache, fill, find, isCached } = setUp({ maxEntries: 2 });
  await fill("a", 1);
  await fill("b", 2);
  find("a");
  await fill("c", 3);
  assert.equal(cache.size, 2);
  assert.deepEqual(
    [isCached("a"), isCached("b"), isCached("c")],
    [false, true, true],
  );
});

test("drops what is too old, however often it is used", async () => {
  const { clock, cache, fill, isCached } = setUp({ maxAgeMs: 1000 });
  await fill("a", 1);
  clock.advance(999);
  assert.ok(isCached("a"));
  clock.advance(1);
  assert.ok(!isCached("a"));
  assert.equal(cache.size, 0);
});

test("a value ages from when its look-up was begun", async () => {
  const { clock, find, loads, isCached } = setUp({ maxAgeMs: 1000 });
  const found = find("a");
  clock.advance(600);
  loads[0]?.resolve({ version: 1 });
  await found;
  clock.advance(400);
  assert.ok(!isCached("a"));
});

test("callers at the same time share one look-up", async () => {
  const { find, loads } = setUp();
  const both = [find("a"), find("a")];
  assert.equal(loads.length, 1);
  loads[0]?.resolve({ version: 1 });
  const [one, two] = await Promise.all(both);
  assert.equal(one, two);
});

test("what is absent, or could not be looked up, is looked up again", async () => {
  const { find, loads } = setUp();
  const absent = find("a");
  loads[0]?.resolve(undefined);
  assert.equal(await absent, undefined);
  const failed = find("a");
  loads[1]?.reject(new Error("disk"));
  await assert.rejects(async () => await failed, /disk/);
  find("a");
  assert.equal(loads.length, 3);
});

for (const named of ["the key", "all keys"] as const) {
  test(`a look-up begun before ${named} are invalidated is not kept`, async () => {
    const { cache, find, loads, isCached } = setUp();
    const before = find("a");
    if (named === "all keys") cache.invalidate();
    else cache.invalidateWhere((key) => key === "a");
    loads[0]?.resolve({ version: 1 });
    assert.deepEqual(await before, { version: 1 });
    assert.ok(!isCached("a"));
  });
}

test("looks up anew after an invalidation, answers out of order", async () => {
  const { cache, find, loads } = setUp();
  const before = find("a");
  cache.invalidateWhere((key) => key === "a");
  const after = find("a");
  assert.equal(loads.length, 2, "does not join the look-up of before");
  loads[1]?.resolve({ version: 2 });
  assert.deepEqual(await after, { version: 2 });
  loads[0]?.resolve({ version: 1 });
  await before;
  assert.deepEqual(find("a"), { version: 2 });
});

test("an invalidation of one key leaves the others cached", async () => {
  const { cache, fill, isCached } = setUp();
  await fill("a", 1);
  await fill("b", 1);
  cache.invalidateWhere((key) => key === "a");
  assert.deepEqual([isCached("a"), isCached("b")], [false, true]);
});
