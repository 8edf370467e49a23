/** What a carrier has and is silent on: due once more, and `sent` all the same. */

import assert from "node:assert/strict";
import type { ClaimedDelivery, Store, Topic } from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  after,
  claimDue,
  countsOf,
  delivered,
  fanOut,
  leaseOf,
  messageTo,
  nextDueAt,
  projectId,
  start,
} from "./fixtures.ts";

const silentAt = after(1000);
const pollAt = after(5000);

/** A text to a subscriber, which a carrier has; due after silence. */
async function setUp(store: Store) {
  const topic = await addTopic(store);
  const { seq: target, id } = await addSubscription(store, topic, {
    protocol: "sms",
    endpoint: "+4915112345678",
  });
  const message = messageTo(topic);
  const lastAttempt = {
    at: start,
    durationMs: 5,
    provider: "loopback",
    outcome: "accepted",
  } as const;
  const messageSeq = await fanOut(
    store,
    topic,
    (seq) => [
      delivered(seq, target, {
        state: "sent",
        billable: true,
        lastAttempt,
        provider: "loopback",
        parts: [{ externalId: "x1" }],
        receiptExpected: true,
        nextAttemptAt: silentAt,
        pollAt,
      }),
    ],
    message,
  );
  return { topic, message, messageSeq, target, subscriptionId: id };
}

async function claimSilent(
  store: Store,
  clock: ManualClock,
): Promise<ClaimedDelivery> {
  const [claim] = await claimDue(store, clock, leaseOf("a"), silentAt, 9);
  assert.equal(claim?.state, "sent");
  return claim;
}

async function settledOf(store: Store, topic: Topic) {
  const day = 24 * 3_600_000;
  const counts = await store.readStatistics(topic.seq, start, after(day));
  return counts.map(({ state, count }) => `${state} ${count}`);
}

const deliver = {
  entry: "loopback",
  externalId: "x1",
  event: "deliver",
  at: after(2000),
} as const;

export function testSilence({ test }: Cases): void {
  test("stays sent when nobody wants it any more, and its receipt counts", async (store, clock) => {
    const { topic, message, subscriptionId } = await setUp(store);
    await store.deleteSubscription(
      projectId,
      topic.name,
      subscriptionId,
      after(1),
    );
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("a"), silentAt, 9),
      [],
    );
    assert.deepEqual(await countsOf(store, message), { sent: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
    await store.recordReceipt(deliver);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("the same of a claim that was lost", async (store, clock) => {
    const { topic, message, subscriptionId } = await setUp(store);
    await claimSilent(store, clock);
    await store.reclaimAll();
    await store.deleteSubscription(
      projectId,
      topic.name,
      subscriptionId,
      after(1),
    );
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("b"), silentAt, 9),
      [],
    );
    assert.deepEqual(await countsOf(store, message), { sent: 1 });
  });

  for (const delayMs of [500, Number.POSITIVE_INFINITY]) {
    test(`given back for ${delayMs} ms it is as it was, neither told nor counted again`, async (store, clock) => {
      const { topic, message, messageSeq, target } = await setUp(store);
      const from = await store.readLatestPosition();
      const claim = await claimSilent(store, clock);
      await store.release([{ delivery: claim }], { delayMs });
      assert.deepEqual(await countsOf(store, message), { sent: 1 });
      assert.equal(
        await nextDueAt(store, clock),
        delayMs === 500 ? after(1500) : undefined,
      );
      assert.deepEqual(await store.readChanges(from, 9), {
        kind: "batches",
        batches: [],
      });
      assert.deepEqual(await settledOf(store, topic), ["sent 1"]);
      // Its carrier is asked, as was planned.
      clock.advance(4000);
      const { polls } = await store.claimPolls("loopback", 1000, 9);
      assert.deepEqual(
        polls.map((poll) => [poll.messageSeq, poll.target]),
        [[messageSeq, target]],
      );
      // A failed receipt ends it: the policy has nobody else for it.
      await store.recordReceipt({ ...deliver, event: "fail" });
      assert.deepEqual(await countsOf(store, message), { failed: 1 });
    });
  }
}
