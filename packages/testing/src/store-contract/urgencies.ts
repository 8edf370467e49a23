/** Claims of due deliveries: each urgency has its share. */

import assert from "node:assert/strict";
import type {
  ClaimedDelivery,
  NewMessage,
  Store,
  Urgency,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  after,
  claimDue,
  delivered,
  directMessage,
  fanOut,
  leaseOf,
  messageTo,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

async function accept(
  store: Store,
  count: number,
  message: Partial<NewMessage> = {},
): Promise<number> {
  const accepted = await store.acceptDirectMessage(
    directMessage(message),
    phones(count),
  );
  return accepted.seq;
}

/** How many claims are of each message. */
function countOf(claims: readonly ClaimedDelivery[], seqs: readonly number[]) {
  return seqs.map(
    (seq) => claims.filter(({ messageSeq }) => messageSeq === seq).length,
  );
}

async function claimUrgent(
  store: Store,
  urgencies: readonly Urgency[],
  limit = 99,
) {
  const kinds = ["delivery"] as const;
  return await store.claim(leaseOf("a"), { kinds, limit, urgencies });
}

export function testUrgencies({ test }: Cases): void {
  /** Thirty of each urgency, the bulk accepted first. */
  async function acceptAll(store: Store, count = 30): Promise<number[]> {
    const bulk = await accept(store, count, { class: "bulk" });
    const usual = await accept(store, count, { class: "transactional" });
    const otp = await accept(store, count, { class: "otp" });
    return [otp, usual, bulk];
  }

  test("claims of each urgency its share, the most urgent first", async (store, clock) => {
    const seqs = await acceptAll(store);
    const claims = await claimDue(store, clock, leaseOf("a"), start, 20);
    assert.deepEqual(countOf(claims, seqs), [10, 6, 4]);
    const order = claims.map(({ messageSeq }) => seqs.indexOf(messageSeq));
    assert.deepEqual(order, order.toSorted());
  });

  test("claims more of the most urgent where others leave some", async (store, clock) => {
    const seqs = await acceptAll(store, 3);
    const [, , bulk = 0] = seqs;
    await accept(store, 30, { class: "bulk" });
    const claims = await claimDue(store, clock, leaseOf("a"), start, 20);
    assert.deepEqual(countOf(claims, seqs.slice(0, 2)), [3, 3]);
    // The older bulk before the younger, of which the rest is taken.
    assert.deepEqual(countOf(claims, [bulk, bulk + 3]), [3, 11]);
  });

  test("claims all of a limit while one urgency is due only", async (store, clock) => {
    const seq = await accept(store, 30, { class: "bulk" });
    const first = await claimUrgent(store, [1, 2, 3], 20);
    assert.deepEqual(countOf(first.deliveries, [seq]), [20]);
    assert.equal(first.mayHaveMore, true);
    const rest = await claimUrgent(store, [1, 2, 3], 20);
    assert.deepEqual(countOf(rest.deliveries, [seq]), [10]);
    assert.equal(rest.mayHaveMore, false);
    assert.deepEqual(await claimDue(store, clock, leaseOf("a"), start, 9), []);
  });

  test("leaves alone what was not asked for", async (store) => {
    const seqs = await acceptAll(store, 3);
    const { deliveries, mayHaveMore } = await claimUrgent(store, [1, 2]);
    assert.deepEqual(countOf(deliveries, seqs), [3, 3, 0]);
    assert.equal(mayHaveMore, false);
    const bulk = await claimUrgent(store, [3]);
    assert.deepEqual(countOf(bulk.deliveries, seqs), [0, 0, 3]);
  });

  test("cancels what nobody wants in each share, and claims others for it", async (store, clock) => {
    const topic = await addTopic(store);
    for (let n = 0; n < 8; n++) {
      const { id } = await addUnconfirmed(store, topic);
      await store.deleteSubscription(projectId, topic.name, id, start);
    }
    const otp = await accept(store, 8, { class: "otp" });
    const bulk = await accept(store, 30, { class: "bulk" });
    const claims = await claimDue(store, clock, leaseOf("a"), start, 20);
    assert.deepEqual(countOf(claims, [otp, bulk]), [8, 12]);
  });

  test("says when the first is due, and the first that is not bulk", async (store) => {
    await accept(store, 1, { class: "bulk" });
    assert.deepEqual(await store.nextDue(), { delivery: 0 });
    await accept(store, 1, { notBefore: after(50) });
    await accept(store, 1, { class: "otp", notBefore: after(40) });
    const next = { delivery: 0, urgentDelivery: 40 };
    assert.deepEqual(await store.nextDue(), next);
    await claimUrgent(store, [3]);
    assert.deepEqual(await store.nextDue(), { ...next, delivery: 40 });
  });

  test("counts the most urgent first when it counts a few only", async (store) => {
    await accept(store, 9, { class: "bulk" });
    const seq = await accept(store, 1, { class: "otp" });
    const { deliveries } = await claimUrgent(store, [1]);
    assert.deepEqual(countOf(deliveries, [seq]), [1]);
    const [claim] = deliveries;
    assert.ok(claim);
    await recordOutcomes(store, [
      {
        messageSeq: seq,
        target: 0,
        state: "retrying",
        attempts: 1,
        nextAttemptAt: after(99),
        fence: claim.fence,
      },
    ]);
    const backlog = { waiting: 2, retrying: 1, ranges: 0 };
    assert.deepEqual(await store.countBacklog(3), backlog);
  });

  const direct: readonly [Partial<NewMessage>, count: number, Urgency][] = [
    [{}, 1, 2],
    [{}, 100, 2],
    [{}, 101, 3],
    [{ class: "otp" }, 101, 1],
    [{ class: "otp", priority: 3 }, 1, 3],
  ];
  for (const [message, count, urgency] of direct) {
    test(`gives a message to ${count} with ${JSON.stringify(message)} urgency ${urgency}`, async (store) => {
      await accept(store, count, message);
      const { deliveries } = await claimUrgent(store, [urgency], 999);
      assert.equal(deliveries.length, count);
    });
  }

  test("keeps the urgency when it is tried again", async (store) => {
    await accept(store, 1, { class: "otp" });
    const { deliveries } = await claimUrgent(store, [1]);
    await store.release(deliveries.map((delivery) => ({ delivery })));
    assert.equal((await claimUrgent(store, [2, 3])).deliveries.length, 0);
    assert.equal((await claimUrgent(store, [1])).deliveries.length, 1);
  });

  test("takes the rows of ranges as they say, else as usual", async (store) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const retried = { state: "retrying", nextAttemptAt: start } as const;
    await fanOut(
      store,
      topic,
      (seq) => [
        delivered(seq, a.seq, retried),
        delivered(seq, b.seq, { ...retried, urgency: 3 }),
      ],
      messageTo(topic),
    );
    const targetsOf = async (urgency: Urgency) =>
      (await claimUrgent(store, [urgency])).deliveries.map(
        ({ recipient }) => recipient.target,
      );
    assert.deepEqual(await targetsOf(2), [a.seq]);
    assert.deepEqual(await targetsOf(3), [b.seq]);
  });

  test("has notices first", async (store) => {
    const topic = await addTopic(store);
    const { seq } = await addUnconfirmed(store, topic);
    const { deliveries } = await claimUrgent(store, [1]);
    assert.deepEqual(
      deliveries.map(({ recipient }) => recipient.target),
      [seq],
    );
  });
}
