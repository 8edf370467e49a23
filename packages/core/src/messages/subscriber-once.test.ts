import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DeliveryState } from "./delivery-state.ts";
import { hasDelivery, type OtherSubscription } from "./subscriber-once.ts";

/** One of a subscriber's subscriptions, in the order of its topics' turns. */
interface Held {
  readonly passes: boolean;
  /** Before whose turn it begins. */
  readonly beginsBefore: number;
  /** Before whose turn it ends; beyond all: it does not. */
  readonly endsBefore: number;
}

const endless = 99;

/** Those that were not filtered, by the next topic's turn. */
const state = fc.constantFrom<DeliveryState>(
  "waiting",
  "sending",
  "retrying",
  "unknown",
  "sent",
  "delivered",
  "failed",
  "rejected",
  "debug",
  "suppressed",
  "expired",
);

const lasting = fc.record({
  passes: fc.boolean(),
  beginsBefore: fc.constant(0),
  endsBefore: fc.constant(endless),
});
const changing = fc.record({
  passes: fc.boolean(),
  beginsBefore: fc.oneof(fc.constant(0), fc.nat(10)),
  endsBefore: fc.oneof(fc.nat(10), fc.constant(endless)),
});
const some = { minLength: 1, maxLength: 10 };

/** The deliveries by turn, once all topics are walked. */
function walk(
  held: readonly Held[],
  underWay: DeliveryState,
): Map<number, DeliveryState> {
  const kept = new Map<number, DeliveryState>();
  for (const [turn, own] of held.entries()) {
    const isActive = ({ beginsBefore, endsBefore }: Held) =>
      beginsBefore <= turn && turn < endsBefore;
    if (!isActive(own)) continue;
    const others = held.flatMap((other, place) => {
      const known = kept.get(place);
      if (place === turn || (!isActive(other) && known === undefined))
        return [];
      const seen: OtherSubscription = {
        isLater: place > turn,
        isActive: isActive(other),
        ...(known && { state: known }),
      };
      return [[seen, other.passes] as const];
    });
    const passes = new Map(others);
    const isOne = hasDelivery(own.passes, [...passes.keys()], (it) =>
      Boolean(passes.get(it)),
    );
    if (isOne) kept.set(turn, own.passes ? underWay : "filtered");
  }
  return kept;
}

test("every subscriber has one delivery, through the first that lets it through", () => {
  fc.assert(
    fc.property(fc.array(lasting, some), state, (held, underWay) => {
      const first = held.findIndex(({ passes }) => passes);
      assert.deepEqual(
        [...walk(held, underWay)],
        first < 0 ? [[0, "filtered"]] : [[first, underWay]],
      );
    }),
  );
});

test("whoever stays subscribed in one that lets it through gets it, and once", () => {
  fc.assert(
    fc.property(fc.array(changing, some), state, (held, underWay) => {
      const sent = [...walk(held, underWay).values()].filter(
        (it) => it === underWay,
      );
      const stays = held.some(
        ({ passes, beginsBefore, endsBefore }) =>
          passes && beginsBefore === 0 && endsBefore === endless,
      );
      assert.ok(sent.length <= 1);
      assert.ok(sent.length === 1 || !stays);
    }),
  );
});

test("what was cancelled or filtered through one is free for another", () => {
  const other = (state: DeliveryState): OtherSubscription[] => [
    { isLater: false, isActive: true, state },
  ];
  const never = () => assert.fail("its turn is over");
  for (const state of ["cancelled", "filtered"] as const) {
    assert.equal(hasDelivery(true, other(state), never), true, state);
    assert.equal(hasDelivery(false, other(state), never), false, state);
  }
});
