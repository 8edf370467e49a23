import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBudget } from "./byte-budget.ts";

const never = new AbortController().signal;

/** Takes, and notes its name once it has room. */
function taker(budget: ByteBudget, signal = never) {
  const started: string[] = [];
  const take = (name: string, bytes: number) =>
    budget.take(bytes, signal).then((taken) => {
      started.push(name);
      return taken;
    });
  return { started, take };
}

test("those who find no room wait their turn, the small behind the large", async () => {
  const { started, take } = taker(new ByteBudget(10));
  const a = await take("a", 6);
  const b = take("b", 8);
  const c = take("c", 1);
  assert.deepEqual(started, ["a"]);
  a[Symbol.dispose]();
  // Twice is once.
  a[Symbol.dispose]();
  (await b)[Symbol.dispose]();
  await c;
  assert.deepEqual(started, ["a", "b", "c"]);
});

test("who asks for more than there is takes it all", async () => {
  const { started, take } = taker(new ByteBudget(10));
  const large = await take("large", 50);
  const small = take("small", 1);
  assert.deepEqual(started, ["large"]);
  large[Symbol.dispose]();
  await small;
});

test("who gives up takes nothing, and holds up nobody", async () => {
  const stop = new AbortController();
  const budget = new ByteBudget(10);
  const { take } = taker(budget);
  const first = await take("first", 5);
  const large = budget.take(10, stop.signal);
  const small = take("small", 5);
  stop.abort();
  await assert.rejects(large, { name: "AbortError" });
  await small;
  first[Symbol.dispose]();
  await assert.rejects(budget.take(1, stop.signal), { name: "AbortError" });
  await take("last", 5);
});
