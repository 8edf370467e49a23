import assert from "node:assert/strict";
import { test } from "node:test";
import { loadOnce } from "./load-once.ts";

test("loads on the first call, and once for all", async () => {
  let loads = 0;
  const get = loadOnce(async () => ({ number: ++loads }));
  assert.equal(loads, 0);
  const [first, second] = await Promise.all([get(), get()]);
  assert.equal(first, second);
  assert.equal(await get(), first);
  assert.equal(loads, 1);
});

test("loads again after a failure, which all who waited get", async () => {
  let loads = 0;
  const get = loadOnce(async () => {
    if (++loads === 1) throw new Error("no file left to open");
    return loads;
  });
  const results = await Promise.allSettled([get(), get()]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(await get(), 2);
  assert.equal(await get(), 2);
});
