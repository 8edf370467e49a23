import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ReceiptEvent, receiptEvents } from "./delivery.ts";
import {
  isNews,
  mergeReceipt,
  type PartState,
  partStates,
  stateOfParts,
} from "./delivery-part.ts";
import {
  type DeliveryState,
  deliveryStates,
  isFinal,
} from "./delivery-state.ts";
import { mergeStates } from "./merge-outcome.ts";

interface Report {
  readonly part: number;
  readonly event: ReceiptEvent;
}

/** A delivery that was accepted in so many parts, after these receipts. */
function after(count: number, reports: readonly Report[], failsOver = false) {
  let state: DeliveryState = "sent";
  const parts = new Array<PartState>(count).fill("sent");
  const states: DeliveryState[] = [];
  for (const { part, event } of reports) {
    const facts = { state, isLastAttempt: true, failsOver, parts, part };
    const effect = mergeReceipt(facts, event);
    parts[part] = effect.part;
    ({ state } = effect);
    states.push(state);
  }
  return { state, parts, states };
}

const count = 3;
const report = fc.record({
  part: fc.nat(count - 1),
  event: fc.constantFrom(...receiptEvents),
});

test("a delivery is delivered once all of its parts are, and lost with one", () => {
  assert.equal(stateOfParts([]), "sent");
  assert.equal(stateOfParts(["delivered", "sent"]), "sent");
  assert.equal(stateOfParts(["delivered", "delivered"]), "delivered");
  for (const lost of ["failed", "rejected", "expired"] as const) {
    assert.equal(stateOfParts(["delivered", lost, "sent"]), lost);
  }
});

test("receipts in any order and number leave no final state", () => {
  fc.assert(
    fc.property(fc.array(report), fc.boolean(), (reports, failsOver) => {
      const { states } = after(count, reports, failsOver);
      const at = states.findIndex(isFinal);
      if (at < 0) return;
      assert.equal(new Set(states.slice(at)).size, 1);
    }),
  );
});

test("one final receipt for each part leads to one state in any order", () => {
  const finals = fc.tuple(
    ...Array.from({ length: count }, () =>
      fc.constantFrom<ReceiptEvent>("deliver", "fail"),
    ),
  );
  const order = fc.shuffledSubarray([0, 1, 2, 0, 1, 2], { minLength: 6 });
  fc.assert(
    fc.property(finals, order, fc.array(fc.nat(5)), (events, parts, noise) => {
      const expected = events.every((it) => it === "deliver")
        ? "delivered"
        : "failed";
      const reports = parts.map((part) => ({
        part,
        event: events[part] ?? ("deliver" as const),
      }));
      // What is accepted again says nothing new.
      for (const n of noise) reports.splice(n, 0, { part: 0, event: "accept" });
      assert.equal(after(count, reports).state, expected);
    }),
  );
});

test("of an earlier attempt only a success counts", () => {
  for (const state of deliveryStates) {
    for (const event of receiptEvents) {
      const { state: merged } = mergeReceipt(
        {
          state,
          isLastAttempt: false,
          failsOver: true,
          parts: ["sent"],
          part: 0,
        },
        event,
      );
      const wins = event === "deliver" && !isFinal(state);
      assert.equal(merged, wins ? "delivered" : state, `${state} ${event}`);
    }
  }
});

test("a failed receipt of the last attempt makes another one due, once", () => {
  for (const event of ["fail", "reject", "expire"] as const) {
    const failed = { part: 0, event };
    assert.equal(after(1, [failed], true).state, "retrying");
    assert.equal(after(1, [failed, failed], true).state, "retrying");
    assert.notEqual(after(1, [failed]).state, "retrying");
  }
});

test("outcomes and receipts interleaved leave no final state", () => {
  const outcome = fc.record({ reported: fc.constantFrom(...deliveryStates) });
  fc.assert(
    fc.property(fc.array(fc.oneof(report, outcome)), (steps) => {
      let state: DeliveryState = "sending";
      let final: DeliveryState | undefined;
      const parts: PartState[] = ["sent", "sent", "sent"];
      for (const step of steps) {
        if ("reported" in step) state = mergeStates(state, step.reported);
        else {
          const facts = { state, isLastAttempt: true, failsOver: false };
          const effect = mergeReceipt(
            { ...facts, parts, part: step.part },
            step.event,
          );
          parts[step.part] = effect.part;
          ({ state } = effect);
        }
        if (final !== undefined) assert.equal(state, final);
        if (isFinal(state)) final = state;
      }
      for (const part of parts) assert.ok(partStates.includes(part));
    }),
  );
});

test("a receipt is news if it changes the part that it names, or its delivery", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("sent", "delivered"),
      fc.constantFrom("sent", "unknown"),
      fc.boolean(),
      fc.constantFrom(...receiptEvents),
      (other, state, isLastAttempt, event) => {
        const parts = ["sent", other] as const;
        const facts = {
          state,
          isLastAttempt,
          failsOver: false,
          parts,
          part: 0,
        };
        const effect = mergeReceipt(facts, event);
        const isUnknown = state === "unknown" && isLastAttempt;
        assert.equal(
          isNews("sent", event, isUnknown),
          effect.part !== "sent" || effect.state !== state,
        );
        if (effect.part === "sent") return;
        assert.equal(isNews(effect.part, event, isUnknown), false);
      },
    ),
  );
});
