import assert from "node:assert/strict";
import type { Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  after,
  claimOne,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  hasRanges,
  leaseOf,
  messageTo,
  nextDueAt,
  phones,
  start,
  underWay,
} from "./fixtures.ts";

const nothing = { freed: 0, interrupted: 0 };

export function testLeases({ test }: Cases): void {
  test("hands nobody what another holds, however long", async (store, clock) => {
    await holdBoth(store);
    clock.advance(1e9);
    assert.deepEqual(await store.claimRanges(leaseOf("b"), 9), []);
    assert.deepEqual(await store.claimDue(leaseOf("b"), after(1e9), 9), []);
    assert.deepEqual(await store.peekWork(), {
      hasRanges: false,
      nextDueAt: undefined,
    });
  });

  test("counts what waits, as far as it was asked to look", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    await store.acceptDirectMessage(directMessage(), phones(4));
    const nextAttemptAt = after(1000);
    await fanOut(store, topic, (seq) => [
      delivered(seq, a.seq),
      delivered(seq, b.seq, { state: "retrying", nextAttemptAt }),
      delivered(seq, c.seq, { state: "waiting", attempts: 0, nextAttemptAt }),
    ]);
    await store.acceptMessage(messageTo(topic), undefined);
    await store.acceptMessage(messageTo(topic), undefined);
    await store.claimDue(leaseOf("a"), start, 1);
    const all = { waiting: 4, retrying: 1, ranges: 2 };
    assert.deepEqual(await store.countBacklog(100), all);
    // Those that are due first.
    const some = { waiting: 1, retrying: 0, ranges: 1 };
    assert.deepEqual(await store.countBacklog(1), some);
  });

  test("frees what a lease ended of, once and not before", async (store, clock) => {
    const { range, claim } = await holdBoth(store, 10);
    clock.advance(9);
    assert.deepEqual(await store.reclaimLapsed(after(9)), nothing);
    clock.advance(1);
    const both = { freed: 2, interrupted: 0 };
    assert.deepEqual(await store.reclaimLapsed(after(12)), both);
    assert.deepEqual(await store.reclaimLapsed(after(12)), nothing);
    assert.deepEqual(await store.peekWork(), {
      hasRanges: true,
      nextDueAt: after(12),
    });
    assert.deepEqual(await store.claimDue(leaseOf("b"), after(11), 9), []);
    const [again] = await store.claimDue(leaseOf("b"), after(12), 9);
    assert.ok(again && again.fence > claim.fence);
    assert.equal(again.state, "sending");
    assert.equal(again.attempts, 0);
    const [work] = await store.claimRanges(leaseOf("b"), 9);
    assert.ok(work && work.range.fence > range.fence);
  });

  test("goes by monotonic time, whatever the clock on the wall is set to", async (store, clock) => {
    await holdBoth(store, 10);
    clock.jump(1e9);
    assert.deepEqual(await store.reclaimLapsed(clock.now()), nothing);
    clock.jump(-2e9);
    clock.advance(10);
    const { freed } = await store.reclaimLapsed(clock.now());
    assert.equal(freed, 2);
  });

  test("keeps what its owner renews, and only that", async (store, clock) => {
    await holdBoth(store, 10, "a");
    await holdBoth(store, 10, "b");
    clock.advance(9);
    await store.renewLeases(leaseOf("a", 10));
    clock.advance(1);
    const both = { freed: 2, interrupted: 0 };
    assert.deepEqual(await store.reclaimLapsed(after(10)), both);
    clock.advance(8);
    assert.deepEqual(await store.reclaimLapsed(after(18)), nothing);
    clock.advance(1);
    assert.deepEqual(await store.reclaimLapsed(after(19)), both);
  });

  test("renews what lapsed as long as nobody reclaimed it", async (store, clock) => {
    const { message, claim, range } = await holdBoth(store, 10);
    clock.advance(1000);
    await store.renewLeases(leaseOf("a", 10));
    assert.deepEqual(await store.reclaimLapsed(after(1000)), nothing);
    const { messageSeq, fence } = claim;
    await store.recordOutcomes([{ ...delivered(messageSeq, 0), fence }]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const { kept } = await store.completeRange(range, []);
    assert.equal(kept, true);
  });

  test("does not give back what was reclaimed to who renews too late", async (store, clock) => {
    await holdBoth(store, 10);
    clock.advance(10);
    await store.reclaimLapsed(after(10));
    await store.renewLeases(leaseOf("a"));
    const claims = await store.claimDue(leaseOf("b"), after(10), 9);
    const works = await store.claimRanges(leaseOf("b"), 9);
    assert.deepEqual([claims.length, works.length], [1, 1]);
  });

  test("leaves out the late outcome of who lost the delivery", async (store, clock) => {
    const { message, claim } = await holdBoth(store, 10);
    clock.advance(10);
    await store.reclaimLapsed(after(10));
    const late = { ...delivered(claim.messageSeq, 0), fence: claim.fence };
    await store.recordOutcomes([late]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    const [again] = await store.claimDue(leaseOf("b"), after(10), 9);
    assert.ok(again);
    await store.recordOutcomes([late]);
    const delivery = await store.findDelivery(claim.messageSeq, 0);
    assert.equal(delivery?.state, "sending");
    assert.equal(delivery?.attemptCount, 0);
    const failed = delivered(again.messageSeq, 0, { state: "failed" });
    await store.recordOutcomes([{ ...failed, fence: again.fence }, late]);
    assert.deepEqual(await countsOf(store, message), { failed: 1 });
  });

  test("refuses every write of who lost the range", async (store, clock) => {
    const { topicMessage, range, target } = await holdBoth(store, 10);
    const outcomes = [delivered(range.messageSeq, target)];
    const lost = { kept: false, refused: [] };
    clock.advance(10);
    await store.reclaimLapsed(after(10));
    assert.deepEqual(await store.completeRange(range, outcomes), lost);
    assert.equal(await store.splitRange(range, target), undefined);
    const [work] = await store.claimRanges(leaseOf("b"), 1);
    assert.ok(work);
    assert.deepEqual(await store.completeRange(range, outcomes), lost);
    assert.equal(await store.splitRange(range, target), undefined);
    await store.releaseRange(range);
    assert.equal(await hasRanges(store), false);
    assert.deepEqual(await countsOf(store, topicMessage), {});
    const { kept } = await store.completeRange(work.range, outcomes);
    assert.equal(kept, true);
    assert.deepEqual(await countsOf(store, topicMessage), { delivered: 1 });
  });

  test("keeps the lease of a range that is cut; its rest has none", async (store, clock) => {
    const topic = await addTopic(store);
    const [a] = await addSubscriptions(store, topic, 2);
    assert.ok(a);
    const lease = leaseOf("a", 10);
    const { range } = await store.acceptMessage(messageTo(topic), lease);
    assert.ok(range && (await store.splitRange(range, a.seq)));
    await store.claimRanges(leaseOf("b", 100), 9);
    clock.advance(10);
    const { freed } = await store.reclaimLapsed(after(10));
    assert.equal(freed, 1);
    const [work] = await store.claimRanges(leaseOf("b"), 9);
    assert.equal(work?.range.uptoTarget, a.seq);
  });

  test("frees an attempt that its range left under way", async (store, clock) => {
    const topic = await addTopic(store);
    const { seq } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const messageSeq = await fanOut(
      store,
      topic,
      (it) => [underWay(it, seq, leaseOf("a", 10))],
      message,
    );
    clock.advance(10);
    const { freed } = await store.reclaimLapsed(after(10));
    assert.equal(freed, 1);
    await store.recordOutcomes([{ ...delivered(messageSeq, seq), fence: 0 }]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    const [claim] = await store.claimDue(leaseOf("b"), after(10), 9);
    assert.ok(claim && claim.fence > 0);
  });

  test("calls an interrupted billable attempt unknown, and repeats it never", async (store, clock) => {
    const { message } = await claimOne(store, { billable: true, leaseMs: 10 });
    clock.advance(10);
    const one = { freed: 0, interrupted: 1 };
    assert.deepEqual(await store.reclaimLapsed(after(10)), one);
    assert.deepEqual(await store.reclaimLapsed(after(10)), nothing);
    assert.deepEqual(await countsOf(store, message), { unknown: 1 });
    assert.equal(await nextDueAt(store), undefined);
    assert.deepEqual(await store.claimDue(leaseOf("b"), after(1e9), 9), []);
  });

  test("learns what came of an unknown attempt from who made it", async (store, clock) => {
    const { message, claim } = await claimOne(store, {
      billable: true,
      leaseMs: 10,
    });
    clock.advance(10);
    await store.reclaimLapsed(after(10));
    const outcome = delivered(claim.messageSeq, 0, { state: "sent" });
    await store.recordOutcomes([{ ...outcome, fence: claim.fence }]);
    assert.deepEqual(await countsOf(store, message), { sent: 1 });
  });

  test("loses what a billable range deferred or left under way rather than repeat it", async (store, clock) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const message = messageTo(topic);
    const waiting = { state: "waiting", attempts: 0 } as const;
    await fanOut(
      store,
      topic,
      (it) => [
        delivered(it, a.seq, {
          ...waiting,
          nextAttemptAt: start,
          billable: true,
        }),
        { ...underWay(it, b.seq, leaseOf("a", 10)), billable: true },
      ],
      message,
    );
    const claims = await store.claimDue(leaseOf("a", 10), start, 9);
    assert.equal(claims.length, 1);
    clock.advance(10);
    const two = { freed: 0, interrupted: 2 };
    assert.deepEqual(await store.reclaimLapsed(after(10)), two);
    assert.deepEqual(await countsOf(store, message), { unknown: 2 });
  });

  test("ends a claim with its outcome, or with a receipt", async (store, clock) => {
    const retried = await claimOne(store);
    const { messageSeq, fence } = retried.claim;
    await store.recordOutcomes([
      {
        ...delivered(messageSeq, 0, { state: "retrying" }),
        nextAttemptAt: after(1),
        externalId: "x1",
        provider: "loopback",
        fence,
      },
    ]);
    clock.advance(1e6);
    assert.deepEqual(await store.reclaimLapsed(after(1)), nothing);
    await store.claimDue(leaseOf("a", 10), after(1), 9);
    await store.recordReceipt({
      provider: "loopback",
      externalId: "x1",
      event: "deliver",
      at: after(2),
    });
    clock.advance(1e6);
    assert.deepEqual(await store.reclaimLapsed(after(3)), nothing);
    assert.deepEqual(await countsOf(store, retried.message), { delivered: 1 });
  });

  test("deals out work to engines that ask at once, each piece to one", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    for (let n = 0; n < 10; n++) {
      await store.acceptMessage(messageTo(topic), undefined);
    }
    await store.acceptDirectMessage(directMessage(), phones(10));
    const owners = ["a", "b", "c", "d"];
    const claims = await Promise.all(
      owners.map((owner) => store.claimDue(leaseOf(owner), start, 3)),
    );
    assert.deepEqual(
      claims
        .flat()
        .map(({ recipient }) => recipient.target)
        .sort(),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    const works = await Promise.all(
      owners.map((owner) => store.claimRanges(leaseOf(owner), 3)),
    );
    const messages = works.flat().map(({ range }) => range.messageSeq);
    assert.equal(messages.length, 10);
    assert.equal(new Set(messages).size, 10);
  });

  test("frees or settles all that was held when it starts anew", async (store) => {
    const { range, claim } = await holdBoth(store);
    const billable = await claimOne(store, { billable: true });
    const all = { freed: 2, interrupted: 1 };
    assert.deepEqual(await store.reclaimAll(after(5)), all);
    assert.deepEqual(await countsOf(store, billable.message), { unknown: 1 });
    const claims = await store.claimDue(leaseOf("b"), after(5), 9);
    assert.deepEqual(
      claims.map(({ messageSeq }) => messageSeq),
      [claim.messageSeq],
    );
    const [work] = await store.claimRanges(leaseOf("b"), 1);
    assert.ok(work && work.range.fence > range.fence);
    const { kept } = await store.completeRange(range, []);
    assert.equal(kept, false);
  });
}

/** A range for one subscriber and a delivery to a phone, both held. */
async function holdBoth(store: Store, leaseMs = 60_000, owner = "a") {
  const lease = leaseOf(owner, leaseMs);
  const topic = await addTopic(store);
  const { seq: target } = await addSubscription(store, topic);
  const topicMessage = messageTo(topic);
  const { range } = await store.acceptMessage(topicMessage, lease);
  const message = directMessage();
  await store.acceptDirectMessage(message, phones(1));
  const [claim] = await store.claimDue(lease, start, 1);
  assert.ok(range && claim);
  return { topicMessage, target, range, message, claim };
}
