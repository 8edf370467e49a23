import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, shuffled } from "./seeded-random.ts";

test("the same seed gives the same numbers, another one others", () => {
  const take = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
  assert.deepEqual(take(7), take(7));
  assert.notDeepEqual(take(7), take(8));
});

test("numbers are spread evenly over 0 to 1", () => {
  const random = seededRandom(0);
  const tenths = new Array<number>(10).fill(0);
  for (let n = 0; n < 10_000; n++) {
    const number = random();
    assert.ok(number >= 0 && number < 1);
    const tenth = Math.floor(number * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  // Five standard deviations of a count of 1000 are 150.
  for (const count of tenths)
    assert.ok(count > 850 && count < 1150, `${count}`);
});

test("shuffling keeps each item, and comes to every order", () => {
  const random = seededRandom(3);
  const orders = new Set<string>();
  for (let n = 0; n < 200; n++) {
    const order = shuffled("abc", random);
    assert.deepEqual(order.toSorted(), ["a", "b", "c"]);
    orders.add(order.join(""));
  }
  assert.equal(orders.size, 6);
});
