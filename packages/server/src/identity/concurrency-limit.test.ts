import assert from "node:assert/strict";
import { test } from "node:test";
import { createConcurrencyLimit } from "./concurrency-limit.ts";

test("runs so many at once, keeps so many waiting and refuses the rest", async () => {
  const inTurn = createConcurrencyLimit(2, 3);
  const gate = Promise.withResolvers<void>();
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const results = [1, 2, 3, 4, 5, 6].map((n) =>
    inTurn(async () => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      order.push(n);
      return n;
    }),
  );
  await assert.rejects(results[5] ?? Promise.resolve(), { code: "OVERLOADED" });
  gate.resolve();
  assert.deepEqual(await Promise.all(results.slice(0, 5)), [1, 2, 3, 4, 5]);
  assert.equal(most, 2);
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
});

test("goes on after one that failed", async () => {
  const inTurn = createConcurrencyLimit(1, 1);
  const failing = inTurn(async () => {
    throw new Error("failed");
  });
  const next = inTurn(async () => "done");
  await assert.rejects(failing, /failed/);
  assert.equal(await next, "done");
  assert.equal(await inTurn(async () => "again"), "again");
});
