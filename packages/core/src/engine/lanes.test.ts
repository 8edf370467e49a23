import assert from "node:assert/strict";
import { test } from "node:test";
import { Lanes } from "./lanes.ts";

class Waiter {}

test("hands a place on to who waited longest, and to nobody who left", () => {
  const lanes = new Lanes<Waiter>(1);
  assert.equal(lanes.tryEnter("a"), true);
  assert.equal(lanes.tryEnter("a"), false);
  const [left, first, second] = [new Waiter(), new Waiter(), new Waiter()];
  for (const waiter of [left, first, second]) lanes.wait("a", waiter);
  lanes.withdraw("a", left);
  assert.equal(lanes.leave("a"), first);
  assert.equal(lanes.tryEnter("a"), false);
  assert.equal(lanes.leave("a"), second);
  assert.equal(lanes.leave("a"), undefined);
  assert.equal(lanes.tryEnter("a"), true);
});

test("one endpoint's lane is nobody else's", () => {
  const lanes = new Lanes<Waiter>(1);
  lanes.tryEnter("a");
  assert.equal(lanes.tryEnter("b"), true);
});

test("a quick lane is waited for in any number, a slow one is not", () => {
  const lanes = new Lanes<Waiter>(2);
  lanes.tryEnter("a");
  lanes.tryEnter("a");
  for (let n = 0; n < 5; n++) {
    assert.equal(lanes.wait("a", new Waiter()), true);
  }
  lanes.countSlow("a", 1);
  assert.equal(lanes.isSlow("a"), true);
  assert.equal(lanes.wait("a", new Waiter()), false);
  lanes.countSlow("a", -1);
  assert.equal(lanes.wait("a", new Waiter()), true);
});

test("the more come in vain, the longer they stay away, up to a bound", () => {
  const lanes = new Lanes<Waiter>(2);
  lanes.tryEnter("a");
  const factors = Array.from({ length: 1000 }, () => lanes.turnAway("a", 0));
  assert.equal(factors[0], 1);
  assert.equal(factors[39], 10);
  assert.equal(factors.at(-1), 30);
  // A second later it is counted anew.
  assert.equal(lanes.turnAway("a", 1001), 1);
  assert.equal(lanes.turnAway("nobody", 0), 1);
});
