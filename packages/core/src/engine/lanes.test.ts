import assert from "node:assert/strict";
import { test } from "node:test";
import type { Urgency } from "../messages/urgency.ts";
import { type LanePlace, Lanes } from "./lanes.ts";

class Waiter {}

function placeIn(lane: string, max: number, urgency: Urgency = 2): LanePlace {
  return { lane, max, urgency };
}

test("hands a place on to who waited longest, and to nobody who left", () => {
  const lanes = new Lanes<Waiter>();
  assert.equal(lanes.tryEnter(placeIn("a", 1)), true);
  assert.equal(lanes.tryEnter(placeIn("a", 1)), false);
  const [left, first, second] = [new Waiter(), new Waiter(), new Waiter()];
  for (const waiter of [left, first, second])
    lanes.wait(placeIn("a", 1), waiter);
  lanes.withdraw(placeIn("a", 1), left);
  assert.equal(lanes.leave("a"), first);
  assert.equal(lanes.tryEnter(placeIn("a", 1)), false);
  assert.equal(lanes.leave("a"), second);
  assert.equal(lanes.leave("a"), undefined);
  assert.equal(lanes.tryEnter(placeIn("a", 1)), true);
});

test("one endpoint's lane is nobody else's", () => {
  const lanes = new Lanes<Waiter>();
  lanes.tryEnter(placeIn("a", 1));
  assert.equal(lanes.tryEnter(placeIn("b", 1)), true);
});

test("a quick lane is waited for in any number, a slow one is not", () => {
  const lanes = new Lanes<Waiter>();
  lanes.tryEnter(placeIn("a", 2));
  lanes.tryEnter(placeIn("a", 2));
  for (let n = 0; n < 5; n++) {
    assert.equal(lanes.wait(placeIn("a", 2), new Waiter()), true);
  }
  lanes.countSlow("a", 1);
  assert.equal(lanes.isSlow("a"), true);
  assert.equal(lanes.wait(placeIn("a", 2), new Waiter()), false);
  lanes.countSlow("a", -1);
  assert.equal(lanes.wait(placeIn("a", 2), new Waiter()), true);
});

test("the more come in vain, the longer they stay away, up to a bound", () => {
  const lanes = new Lanes<Waiter>();
  lanes.tryEnter(placeIn("a", 2));
  const factors = Array.from({ length: 1000 }, () =>
    lanes.turnAway(placeIn("a", 2), 0),
  );
  assert.equal(factors[0], 1);
  assert.equal(factors[39], 10);
  assert.equal(factors.at(-1), 30);
  // A second later it is counted anew.
  assert.equal(lanes.turnAway(placeIn("a", 2), 1001), 1);
  assert.equal(lanes.turnAway(placeIn("nobody", 2), 0), 1);
});

test("the most urgent is next, and has places that are kept for it", () => {
  const lanes = new Lanes<string>();
  const urgent = placeIn("p", 3, 1);
  const few = placeIn("p", 2, 2);
  const bulk = placeIn("p", 2, 3);
  assert.equal(lanes.tryEnter(bulk), true);
  assert.equal(lanes.tryEnter(bulk), true);
  assert.equal(lanes.tryEnter(few), false);
  assert.equal(lanes.tryEnter(urgent), true);
  assert.equal(lanes.tryEnter(urgent), false);
  lanes.wait(bulk, "bulk");
  lanes.wait(few, "few");
  lanes.wait(urgent, "urgent");
  assert.equal(lanes.leave("p"), "urgent");
  // The third place is not for them.
  assert.equal(lanes.leave("p"), undefined);
  assert.equal(lanes.leave("p"), "few");
  assert.equal(lanes.leave("p"), "bulk");
});

test("who is urgent waits and stays away as if bulk were not there", () => {
  const lanes = new Lanes<string>();
  const bulk = placeIn("p", 1, 3);
  const urgent = placeIn("p", 1, 1);
  lanes.tryEnter(bulk);
  lanes.countSlow("p", 1);
  assert.equal(lanes.wait(bulk, "first"), true);
  assert.equal(lanes.wait(bulk, "second"), false);
  for (let n = 0; n < 100; n++) lanes.turnAway(bulk, 0);
  assert.equal(lanes.wait(urgent, "urgent"), true);
  assert.equal(lanes.turnAway(urgent, 0), 1);
});
