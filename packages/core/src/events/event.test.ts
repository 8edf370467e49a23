import assert from "node:assert/strict";
import { test } from "node:test";
import { deliveryStates, isSettled } from "../messages/delivery-state.ts";
import { eventTypes } from "./event.ts";

test("there is an event for each state in which the engine is done", () => {
  for (const state of deliveryStates) {
    const isTold = eventTypes.includes(`delivery.${state}`);
    assert.equal(isTold, isSettled(state), state);
  }
  assert.equal(new Set(eventTypes).size, eventTypes.length);
});
