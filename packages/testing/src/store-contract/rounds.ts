import assert from "node:assert/strict";
import type {
  DeliveryState,
  EpochMs,
  RangeOutcome,
  Store,
} from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  delivered,
  fanOut,
  leaseOf,
  recordOutcomes,
  start,
  statesOf,
} from "./fixtures.ts";

export function testRounds({ test }: Cases): void {
  test("a later round is cancelled once an earlier one delivered", async (store, clock) => {
    const { seq, targets } = await escalate(store, "delivered");
    assert.deepEqual(await claimAt(store, clock, after(9)), []);
    assert.deepEqual(await claimAt(store, clock, after(20)), [targets[3]]);
    assert.deepEqual(await statesOf(store, seq), [
      "delivered",
      "cancelled",
      "cancelled",
      "sending",
    ]);
    const cancelled = await store.findDelivery(seq, targets[1] ?? 0);
    assert.match(cancelled?.attempts[0]?.error ?? "", /earlier round/);
    assert.equal(cancelled?.attemptCount, 0);
  });

  for (const state of ["failed", "sent", "unknown", "filtered"] as const) {
    test(`a later round is tried when the earlier one is ${state}`, async (store, clock) => {
      const { seq, targets } = await escalate(store, state);
      assert.deepEqual(await claimAt(store, clock, after(10)), [targets[1]]);
      const [, second = 0, third = 0] = targets;
      await recordOutcomes(store, [{ ...delivered(seq, second), fence: 1 }]);
      await claimAt(store, clock, after(20));
      const last = await store.findDelivery(seq, third);
      assert.equal(last?.state, "cancelled");
    });
  }

  test("a round does not end itself", async (store, clock) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const seq = await fanOut(store, topic, (messageSeq) => [
      waitingIn(messageSeq, a.seq, 2, start),
      waitingIn(messageSeq, b.seq, 2, after(5)),
    ]);
    assert.deepEqual(await claimAt(store, clock, start), [a.seq]);
    await recordOutcomes(store, [{ ...delivered(seq, a.seq), fence: 1 }]);
    assert.deepEqual(await claimAt(store, clock, after(5)), [b.seq]);
  });
}

/** Rounds 1 to 3, the first of which came to be `first`, and one in none. */
async function escalate(store: Store, first: DeliveryState) {
  const topic = await addTopic(store);
  const targets = (await addSubscriptions(store, topic, 4)).map((it) => it.seq);
  const [a = 0, b = 0, c = 0, d = 0] = targets;
  const seq = await fanOut(store, topic, (messageSeq) => [
    delivered(messageSeq, a, { state: first, round: 1 }),
    waitingIn(messageSeq, b, 2, after(10)),
    waitingIn(messageSeq, c, 3, after(20)),
    delivered(messageSeq, d, {
      state: "retrying",
      nextAttemptAt: after(20),
    }),
  ]);
  return { seq, targets };
}

function waitingIn(
  messageSeq: number,
  target: number,
  round: number,
  nextAttemptAt: EpochMs,
): RangeOutcome {
  const state = "waiting";
  return { messageSeq, target, state, attempts: 0, round, nextAttemptAt };
}

async function claimAt(
  store: Store,
  clock: ManualClock,
  now: EpochMs,
): Promise<number[]> {
  const claims = await claimDue(store, clock, leaseOf("a"), now, 10);
  return claims.map(({ recipient }) => recipient.target);
}
