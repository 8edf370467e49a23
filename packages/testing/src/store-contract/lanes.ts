import assert from "node:assert/strict";
import {
  type ClaimedDelivery,
  type EpochMs,
  type LaneClaim,
  type Store,
  toEpochMs,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  countsOf,
  fanOut,
  leaseOf,
  messageTo,
  nextDueAt,
  projectId,
  start,
} from "./fixtures.ts";

export function testLanes({ test }: Cases): void {
  test("keeps what subscribers fetch from the engines", async (store, clock) => {
    const { message, lane } = await leaveInLane(store);
    assert.equal(await nextDueAt(store, clock), undefined);
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("a"), after(9e6), 9),
      [],
    );
    assert.deepEqual(await store.countBacklog(9), {
      waiting: 0,
      retrying: 0,
      ranges: 0,
    });
    assert.deepEqual(await countsOf(store, message), { waiting: 2 });
    const [claim] = await store.claimLane(leaseOf("a"), lane, start, 9);
    assert.equal(claim?.state, "waiting");
    assert.equal(claim?.recipient.target, lane);
    assert.deepEqual(await countsOf(store, message), {
      sending: 1,
      waiting: 1,
    });
  });

  test("a lane is claimed oldest message first, and no other with it", async (store) => {
    const topic = await addTopic(store);
    const [one, other] = await addSubscriptions(store, topic, 2);
    assert.ok(one && other);
    const seqs: number[] = [];
    for (let n = 0; n < 3; n++) {
      seqs.push(
        await fanOut(store, topic, (seq) => [
          inLane(seq, one.seq, after(1000)),
          inLane(seq, other.seq, after(1000)),
        ]),
      );
    }
    const claim = async (limit: number) =>
      (await store.claimLane(leaseOf("a"), one.seq, start, limit)).map(
        ({ messageSeq, recipient }) => {
          assert.equal(recipient.target, one.seq);
          return messageSeq;
        },
      );
    assert.deepEqual(await claim(2), seqs.slice(0, 2));
    assert.deepEqual(await claim(2), seqs.slice(2));
    assert.deepEqual(await claim(2), []);
  });

  test("two consumers never hold the same one", async (store) => {
    const topic = await addTopic(store);
    const [one] = await addSubscriptions(store, topic, 1);
    assert.ok(one);
    for (let n = 0; n < 20; n++) {
      await fanOut(store, topic, (seq) => [inLane(seq, one.seq, after(1000))]);
    }
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        store.claimLane(leaseOf(`consumer-${n}`), one.seq, start, 5),
      ),
    );
    const seqs = claims.flat().map(({ messageSeq }) => messageSeq);
    assert.equal(seqs.length, 20);
    assert.equal(new Set(seqs).size, 20);
  });

  test("an ack ends it, once", async (store) => {
    const { message, lane } = await leaveInLane(store);
    const [claim] = await store.claimLane(leaseOf("a"), lane, start, 1);
    assert.ok(claim);
    const held = toLaneClaim(claim);
    assert.deepEqual(await store.ackLane([held], after(5)), [true]);
    assert.deepEqual(await store.ackLane([held], after(6)), [false]);
    assert.deepEqual(await store.releaseLane([held]), [false]);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      waiting: 1,
    });
    const found = await store.findDelivery(held.messageSeq, lane);
    assert.equal(found?.attemptCount, 1);
    assert.deepEqual(found?.attempts, [{ at: after(5), durationMs: 0 }]);
    assert.deepEqual(await store.claimLane(leaseOf("a"), lane, start, 9), []);
    const hour = await store.readStatistics(
      message.topic?.seq ?? 0,
      toEpochMs(0),
      after(9e6),
    );
    assert.deepEqual(
      hour.map(({ state, count }) => [state, count]),
      [["delivered", 1]],
    );
  });

  test("refuses the ack of a claim that is not held", async (store) => {
    const { message, lane } = await leaveInLane(store);
    const [claim] = await store.claimLane(leaseOf("a"), lane, start, 1);
    assert.ok(claim);
    const held = toLaneClaim(claim);
    const wrong = [
      { ...held, fence: held.fence - 1 },
      { ...held, fence: held.fence + 1 },
      { ...held, target: 999 },
    ];
    assert.deepEqual(await store.ackLane(wrong, start), [false, false, false]);
    assert.deepEqual(await store.releaseLane(wrong), [false, false, false]);
    assert.deepEqual(await countsOf(store, message), {
      sending: 1,
      waiting: 1,
    });
  });

  test("what is given back waits again, for whoever claims it next", async (store, clock) => {
    const { message, lane } = await leaveInLane(store);
    const [claim] = await store.claimLane(leaseOf("a"), lane, start, 1);
    assert.ok(claim);
    const held = toLaneClaim(claim);
    assert.deepEqual(await store.releaseLane([held]), [true]);
    assert.deepEqual(await countsOf(store, message), { waiting: 2 });
    assert.equal(await nextDueAt(store, clock), undefined);
    const [again] = await store.claimLane(leaseOf("b"), lane, start, 1);
    assert.ok(again);
    assert.deepEqual(await store.ackLane([held], start), [false]);
    assert.deepEqual(await store.ackLane([toLaneClaim(again)], start), [true]);
  });

  test("a lease that lapses leaves it waiting, and a late ack is refused", async (store, clock) => {
    const { message, lane } = await leaveInLane(store);
    const [claim] = await store.claimLane(leaseOf("a", 100), lane, start, 1);
    assert.ok(claim);
    clock.advance(60);
    await store.renew(leaseOf("a", 100));
    clock.advance(60);
    assert.deepEqual(await store.reclaim(), {
      freed: 0,
      interrupted: 0,
    });
    clock.advance(60);
    assert.deepEqual(await store.reclaim(), {
      freed: 1,
      interrupted: 0,
    });
    assert.deepEqual(await countsOf(store, message), { waiting: 2 });
    assert.equal(await nextDueAt(store, clock), undefined);
    assert.deepEqual(await store.ackLane([toLaneClaim(claim)], start), [false]);
    const [again] = await store.claimLane(leaseOf("b"), lane, start, 1);
    assert.equal(again?.messageSeq, claim.messageSeq);
  });

  test("what nobody fetches in time expires, in batches", async (store) => {
    const { message, lane } = await leaveInLane(store, 1000);
    const [held] = await store.claimLane(leaseOf("a"), lane, start, 1);
    assert.ok(held);
    assert.equal(await store.expireLanes(after(999), 9), 0);
    assert.equal(await store.expireLanes(after(1000), 9), 1);
    assert.deepEqual(await countsOf(store, message), {
      sending: 1,
      expired: 1,
    });
    // Held: its subscriber may be in time, or give it back.
    assert.deepEqual(await store.releaseLane([toLaneClaim(held)]), [true]);
    assert.deepEqual(
      await store.claimLane(leaseOf("a"), lane, after(1000), 9),
      [],
    );
    assert.equal(await store.expireLanes(after(1000), 9), 1);
    const found = await store.findDelivery(held.messageSeq, lane);
    assert.equal(found?.attempts.at(-1)?.errorClass, "expired");
    assert.equal(await store.expireLanes(after(9e6), 9), 0);

    const other = await leaveInLane(store, 1000);
    assert.equal(await store.expireLanes(after(9e6), 1), 1);
    assert.deepEqual(await countsOf(store, other.message), {
      waiting: 1,
      expired: 1,
    });
  });

  test("who left is handed nothing", async (store) => {
    const { message, lane, id } = await leaveInLane(store);
    await store.cancelSubscription(id, () => undefined);
    assert.deepEqual(await store.claimLane(leaseOf("a"), lane, start, 9), []);
    assert.deepEqual(await countsOf(store, message), {
      cancelled: 1,
      waiting: 1,
    });
  });

  test("a subscription that is deleted leaves nothing to fetch", async (store) => {
    const { message, lane, topicName, id } = await leaveInLane(store);
    const [held] = await store.claimLane(leaseOf("a"), lane, start, 9);
    assert.ok(held);
    const topic = await store.findTopic(projectId, topicName);
    assert.ok(topic);
    const next = messageTo(topic);
    const one = (seq: number) => [inLane(seq, lane, after(1000))];
    await fanOut(store, topic, one, next);
    await store.deleteSubscription(projectId, topicName, id, start);
    assert.deepEqual(await countsOf(store, next), { cancelled: 1 });
    // An attempt under way cannot be taken back.
    assert.deepEqual(await store.ackLane([toLaneClaim(held)], start), [true]);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      waiting: 1,
    });
  });
}

/** A message that two subscribers are to fetch; the lane is the first one's. */
async function leaveInLane(store: Store, lifeMs = 3_600_000) {
  const topic = await addTopic(store);
  const [one, other] = await addSubscriptions(store, topic, 2);
  assert.ok(one && other);
  const message = messageTo(topic);
  await fanOut(
    store,
    topic,
    (seq) => [
      inLane(seq, one.seq, after(lifeMs)),
      inLane(seq, other.seq, after(lifeMs)),
    ],
    message,
  );
  return { message, lane: one.seq, id: one.id, topicName: topic.name };
}

function inLane(messageSeq: number, lane: number, expiresAt: EpochMs) {
  return {
    messageSeq,
    target: lane,
    state: "waiting" as const,
    attempts: 0,
    pull: { lane, expiresAt },
  };
}

function toLaneClaim({
  messageSeq,
  recipient,
  fence,
}: ClaimedDelivery): LaneClaim {
  return { messageSeq, target: recipient.target, fence };
}
