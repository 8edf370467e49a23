import assert from "node:assert/strict";
import { type Store, unknownPollDelayMs } from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  claimOne,
  claimRanges,
  completeRange,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  hasRanges,
  intend,
  leaseOf,
  messageTo,
  nextDueAt,
  phones,
  recordOutcomes,
  start,
  underWay,
} from "./fixtures.ts";

const nothing = { freed: 0, interrupted: 0 };

export function testLeases({ test }: Cases): void {
  test("hands nobody what another holds, however long", async (store, clock) => {
    await holdBoth(store, clock);
    clock.advance(1e9);
    assert.deepEqual(await claimRanges(store, leaseOf("b"), 9), []);
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("b"), after(1e9), 9),
      [],
    );
    assert.deepEqual(await store.nextDue(), {});
  });

  test("counts what waits, as far as it was asked to look", async (store, clock) => {
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
    await claimDue(store, clock, leaseOf("a"), start, 1);
    const all = { waiting: 4, retrying: 1, ranges: 2 };
    assert.deepEqual(await store.countBacklog(100), all);
    // Those that are due first.
    const some = { waiting: 1, retrying: 0, ranges: 1 };
    assert.deepEqual(await store.countBacklog(1), some);
  });

  test("frees what a lease ended of, once and not before", async (store, clock) => {
    const { range, claim } = await holdBoth(store, clock, 10);
    clock.advance(9);
    assert.deepEqual(await store.reclaim(), nothing);
    clock.advance(1);
    const both = { freed: 2, interrupted: 0 };
    assert.deepEqual(await store.reclaim(), both);
    assert.deepEqual(await store.reclaim(), nothing);
    assert.deepEqual(await store.nextDue(), {
      range: -10,
      delivery: 0,
      urgentDelivery: 0,
    });

    const [again] = await claimDue(store, clock, leaseOf("b"), after(10), 9);
    assert.ok(again && again.fence > claim.fence);
    assert.equal(again.state, "sending");
    assert.equal(again.attempts, 0);
    const [work] = await claimRanges(store, leaseOf("b"), 9);
    assert.ok(work && work.range.fence > range.fence);
  });

  test("goes by monotonic time, whatever the clock on the wall is set to", async (store, clock) => {
    await holdBoth(store, clock, 10);
    clock.jump(1e9);
    assert.deepEqual(await store.reclaim(), nothing);
    clock.jump(-2e9);
    clock.advance(10);
    const { freed } = await store.reclaim();
    assert.equal(freed, 2);
  });

  test("keeps what its owner renews, and only that", async (store, clock) => {
    await holdBoth(store, clock, 10, "a");
    await holdBoth(store, clock, 10, "b");
    clock.advance(9);
    await store.renew(leaseOf("a", 10));
    clock.advance(1);
    const both = { freed: 2, interrupted: 0 };
    assert.deepEqual(await store.reclaim(), both);
    clock.advance(8);
    assert.deepEqual(await store.reclaim(), nothing);
    clock.advance(1);
    assert.deepEqual(await store.reclaim(), both);
  });

  test("renews what lapsed as long as nobody reclaimed it", async (store, clock) => {
    const { message, claim, range } = await holdBoth(store, clock, 10);
    clock.advance(1000);
    await store.renew(leaseOf("a", 10));
    assert.deepEqual(await store.reclaim(), nothing);
    const { messageSeq, fence } = claim;
    await recordOutcomes(store, [{ ...delivered(messageSeq, 0), fence }]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const { kept } = await completeRange(store, range, []);
    assert.equal(kept, true);
  });

  test("does not give back what was reclaimed to who renews too late", async (store, clock) => {
    await holdBoth(store, clock, 10);
    clock.advance(10);
    await store.reclaim();
    await store.renew(leaseOf("a"));
    const claims = await claimDue(store, clock, leaseOf("b"), after(10), 9);
    const works = await claimRanges(store, leaseOf("b"), 9);
    assert.deepEqual([claims.length, works.length], [1, 1]);
  });

  test("leaves out the late outcome of who lost the delivery", async (store, clock) => {
    const { message, claim } = await holdBoth(store, clock, 10);
    clock.advance(10);
    await store.reclaim();
    const late = { ...delivered(claim.messageSeq, 0), fence: claim.fence };
    await recordOutcomes(store, [late]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    const [again] = await claimDue(store, clock, leaseOf("b"), after(10), 9);
    assert.ok(again);
    await recordOutcomes(store, [late]);
    const delivery = await store.findDelivery(claim.messageSeq, 0);
    assert.equal(delivery?.state, "sending");
    assert.equal(delivery?.attemptCount, 0);
    const failed = delivered(again.messageSeq, 0, { state: "failed" });
    await recordOutcomes(store, [{ ...failed, fence: again.fence }, late]);
    assert.deepEqual(await countsOf(store, message), { failed: 1 });
  });

  test("refuses every write of who lost the range", async (store, clock) => {
    const { topicMessage, range, target } = await holdBoth(store, clock, 10);
    const outcomes = [delivered(range.messageSeq, target)];
    const lost = { kept: false, refused: [] };
    const part = { outcomes, uptoTarget: target };
    clock.advance(10);
    await store.reclaim();
    assert.deepEqual(await completeRange(store, range, outcomes), lost);
    assert.deepEqual(await store.finish({ ...part, range }), lost);
    const [work] = await claimRanges(store, leaseOf("b"), 1);
    assert.ok(work);
    assert.deepEqual(await completeRange(store, range, outcomes), lost);
    assert.deepEqual(await store.finish({ ...part, range }), lost);
    await store.release([{ range }]);
    assert.equal(await hasRanges(store), false);
    assert.deepEqual(await countsOf(store, topicMessage), {});
    const { kept } = await completeRange(store, work.range, outcomes);
    assert.equal(kept, true);
    assert.deepEqual(await countsOf(store, topicMessage), { delivered: 1 });
  });

  test("keeps the lease of a range that is cut; its rest has none", async (store, clock) => {
    const topic = await addTopic(store);
    const [a] = await addSubscriptions(store, topic, 2);
    assert.ok(a);
    await store.acceptMessage(messageTo(topic), leaseOf("a", 10, 1));

    await claimRanges(store, leaseOf("b", 100), 9);
    clock.advance(10);
    const { freed } = await store.reclaim();
    assert.equal(freed, 1);
    const [work] = await claimRanges(store, leaseOf("b"), 9);
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
    const { freed } = await store.reclaim();
    assert.equal(freed, 1);
    await recordOutcomes(store, [{ ...delivered(messageSeq, seq), fence: 0 }]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    const [claim] = await claimDue(store, clock, leaseOf("b"), after(10), 9);
    assert.ok(claim && claim.fence > 0);
  });

  test("calls an interrupted billable attempt unknown, and repeats it never", async (store, clock) => {
    const { message } = await claimOne(store, clock, {
      billable: true,
      leaseMs: 10,
    });
    clock.advance(10);
    const one = { freed: 0, interrupted: 1 };
    assert.deepEqual(await store.reclaim(), one);
    assert.deepEqual(await store.reclaim(), nothing);
    assert.deepEqual(await countsOf(store, message), { unknown: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("b"), after(1e9), 9),
      [],
    );
  });

  test("an interrupted attempt keeps the id that was chosen for it, and is asked about", async (store, clock) => {
    const { claim } = await claimOne(store, clock, {
      billable: true,
      leaseMs: 10,
    });
    await intend(store, claim, "acme", "ours-1");
    clock.advance(10);
    await store.reclaim();
    const { messageSeq } = claim;
    const lost = await store.findDelivery(messageSeq, 0);
    assert.equal(lost?.state, "unknown");
    assert.equal(lost.externalId, "ours-1");
    assert.equal(lost.receiptExpected, true);
    assert.deepEqual(await store.listDuePolls(), [
      { entry: "acme", dueInMs: unknownPollDelayMs },
    ]);
    clock.advance(unknownPollDelayMs);
    const { polls } = await store.claimPolls("acme", 100, 9);
    const parts = [
      {
        attempt: 1,
        entry: "acme",
        externalId: "ours-1",
        state: "sent" as const,
      },
    ];
    assert.deepEqual(polls, [
      { messageSeq, target: 0, attempts: 1, sentAt: after(1), parts },
    ]);
    // Its former owner tells after all; the part is there already.
    await recordOutcomes(store, [
      {
        ...delivered(messageSeq, 0, { state: "sent" }),
        provider: "acme",
        parts: [{ externalId: "ours-1" }],
        fence: claim.fence,
      },
    ]);
    const told = await store.findDelivery(messageSeq, 0);
    assert.equal(told?.state, "sent");
    assert.deepEqual(told.parts, parts);
  });

  test("what was reported of an interrupted attempt settles it", async (store, clock) => {
    const { claim } = await claimOne(store, clock, {
      billable: true,
      leaseMs: 10,
    });
    await intend(store, claim, "acme", "ours-1");
    await store.recordReceipt({
      entry: "acme",
      externalId: "ours-1",
      event: "deliver",
      at: after(2),
    });
    clock.advance(10);
    await store.reclaim();
    const { messageSeq } = claim;
    const settled = await store.findDelivery(messageSeq, 0);
    assert.equal(settled?.state, "delivered");
    assert.equal(settled.receipts?.length, 1);
    assert.deepEqual(await store.listDuePolls(), []);
  });

  test("the id of an intent is gone with the outcome of its attempt", async (store, clock) => {
    const { claim } = await claimOne(store, clock, {
      billable: true,
      leaseMs: 10,
    });
    await intend(store, claim, "acme", "ours-1");
    const { messageSeq, fence } = claim;
    const retry = { state: "retrying", nextAttemptAt: after(2) } as const;
    await recordOutcomes(store, [
      { ...delivered(messageSeq, 0, retry), provider: "acme", fence },
    ]);
    // The next attempt is made through one that chooses no ids.
    const [again] = await claimDue(store, clock, leaseOf("b", 10), after(2), 1);
    assert.ok(again && (await intend(store, again)));
    clock.advance(10);
    await store.reclaim();
    const lost = await store.findDelivery(messageSeq, 0);
    assert.equal(lost?.state, "unknown");
    assert.equal(lost.externalId, undefined);
    assert.deepEqual(await store.listDuePolls(), []);
  });

  test("learns what came of an unknown attempt from who made it", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock, {
      billable: true,
      leaseMs: 10,
    });
    clock.advance(10);
    await store.reclaim();
    const outcome = delivered(claim.messageSeq, 0, { state: "sent" });
    await recordOutcomes(store, [{ ...outcome, fence: claim.fence }]);
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
    const [claim] = await claimDue(store, clock, leaseOf("a", 10), start, 9);
    assert.ok(claim);
    await intend(store, claim);
    clock.advance(10);
    const two = { freed: 0, interrupted: 2 };
    assert.deepEqual(await store.reclaim(), two);
    assert.deepEqual(await countsOf(store, message), { unknown: 2 });
  });

  test("ends a claim with its outcome, or with a receipt", async (store, clock) => {
    const retried = await claimOne(store, clock);
    const { messageSeq, fence } = retried.claim;
    await recordOutcomes(store, [
      {
        ...delivered(messageSeq, 0, { state: "retrying" }),
        nextAttemptAt: after(1),
        parts: [{ externalId: "x1" }],
        provider: "loopback",
        fence,
      },
    ]);
    clock.advance(1e6);
    assert.deepEqual(await store.reclaim(), nothing);
    await claimDue(store, clock, leaseOf("a", 10), after(1), 9);
    await store.recordReceipt({
      entry: "loopback",
      externalId: "x1",
      event: "deliver",
      at: after(2),
    });
    clock.advance(1e6);
    assert.deepEqual(await store.reclaim(), nothing);
    assert.deepEqual(await countsOf(store, retried.message), { delivered: 1 });
  });

  test("deals out work to engines that ask at once, each piece to one", async (store, clock) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    for (let n = 0; n < 10; n++) {
      await store.acceptMessage(messageTo(topic), undefined);
    }
    await store.acceptDirectMessage(directMessage(), phones(10));
    const owners = ["a", "b", "c", "d"];
    const claims = await Promise.all(
      owners.map((owner) => claimDue(store, clock, leaseOf(owner), start, 3)),
    );
    assert.deepEqual(
      claims
        .flat()
        .map(({ recipient }) => recipient.target)
        .sort(),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    const works = await Promise.all(
      owners.map((owner) => claimRanges(store, leaseOf(owner), 3)),
    );
    const messages = works.flat().map(({ range }) => range.messageSeq);
    assert.equal(messages.length, 10);
    assert.equal(new Set(messages).size, 10);
  });

  test("frees or settles all that was held when it starts anew", async (store, clock) => {
    const { range, claim } = await holdBoth(store, clock);
    const billable = await claimOne(store, clock, { billable: true });
    const all = { freed: 2, interrupted: 1 };
    assert.deepEqual(await store.reclaimAll(), all);
    assert.deepEqual(await countsOf(store, billable.message), { unknown: 1 });
    const claims = await claimDue(store, clock, leaseOf("b"), after(5), 9);
    assert.deepEqual(
      claims.map(({ messageSeq }) => messageSeq),
      [claim.messageSeq],
    );
    const [work] = await claimRanges(store, leaseOf("b"), 1);
    assert.ok(work && work.range.fence > range.fence);
    const { kept } = await completeRange(store, range, []);
    assert.equal(kept, false);
  });
}

/** A range for one subscriber and a delivery to a phone, both held. */
async function holdBoth(
  store: Store,
  clock: ManualClock,
  leaseMs = 60_000,
  owner = "a",
) {
  const lease = leaseOf(owner, leaseMs);
  const topic = await addTopic(store);
  const { seq: target } = await addSubscription(store, topic);
  const topicMessage = messageTo(topic);
  const { range } = await store.acceptMessage(topicMessage, lease);
  const message = directMessage();
  await store.acceptDirectMessage(message, phones(1));
  const [claim] = await claimDue(store, clock, lease, start, 1);
  assert.ok(range && claim);
  return { topicMessage, target, range, message, claim };
}
