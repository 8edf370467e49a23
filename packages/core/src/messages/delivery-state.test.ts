import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type DeliveryEvent,
  deliveryStates,
  deliveryTransitions,
  isFinal,
  isSettled,
  nextState,
} from "./delivery-state.ts";

const events: readonly DeliveryEvent[] = [
  "attempt",
  "postpone",
  "release",
  "retry",
  "accept",
  "deliver",
  "fail",
  "reject",
  "lose",
  "expire",
  "filter",
  "suppress",
  "cancel",
  "simulate",
];

test("no sequence of events leaves a final state", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...deliveryStates),
      fc.array(fc.constantFrom(...events), { maxLength: 30 }),
      (start, sequence) => {
        let state = start;
        let final = isFinal(start) ? start : undefined;
        for (const event of sequence) {
          state = nextState(state, event);
          if (final !== undefined) assert.equal(state, final);
          if (isFinal(state)) final = state;
        }
      },
    ),
  );
});

test("what was sent is never taken for unsent", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events)), (sequence) => {
      let state = nextState(nextState("waiting", "attempt"), "accept");
      for (const event of sequence) {
        state = nextState(state, event);
        assert.ok(
          state === "sent" || isFinal(state),
          `${sequence.join(" ")} led from sent to ${state}`,
        );
      }
    }),
  );
});

test("an unknown outcome is not attempted again by itself", () => {
  assert.equal(nextState("unknown", "attempt"), "unknown");
  assert.equal(nextState("unknown", "retry"), "retrying");
  assert.equal(nextState("unknown", "deliver"), "delivered");
});

test("every state that is not final has a way to a final one", () => {
  for (const state of deliveryStates) {
    if (isFinal(state)) continue;
    const next = Object.values(deliveryTransitions[state]);
    assert.ok(next.some(isFinal), state);
  }
});

test("exactly the listed states are final", () => {
  assert.deepEqual(deliveryStates.filter(isFinal), [
    "delivered",
    "failed",
    "rejected",
    "debug",
    "filtered",
    "suppressed",
    "expired",
    "cancelled",
  ]);
  assert.deepEqual(
    deliveryStates.filter((state) => isSettled(state) && !isFinal(state)),
    ["unknown", "sent"],
  );
});
