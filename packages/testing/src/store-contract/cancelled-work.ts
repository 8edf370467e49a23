import assert from "node:assert/strict";
import { type AudienceRange, type Store, toEpochMs } from "@carillon/core";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import { ada, order, workOff } from "./delivery-actions.ts";
import {
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  claimOne,
  claimRanges,
  countsOf,
  delivered,
  hasRanges,
  leaseOf,
  messageTo,
  nextDueAt,
  projectId,
  recordOutcomes,
  statesOf,
  underWay,
} from "./fixtures.ts";
import {
  lease,
  maxDeliveries,
  type PullSubscription,
  subscribeMailbox,
  toFetch,
} from "./mailbox-fixtures.ts";
import { cancelMessage } from "./message-cancellation.ts";

/** What engines and subscribers held of a message when it was cancelled. */
export function testCancelledWork({ test }: Cases): void {
  test("of a range that is held its outcomes are kept, and nothing waits", async (store, clock) => {
    const { message, messageSeq, range, targets } = await holdRange(store);
    const [a = 0, b = 0, c = 0] = targets;
    const job = await cancelMessage(store, messageSeq);
    assert.equal(job.messages, 1);
    const fannedOut = async () =>
      (await store.findMessage(projectId, message.id))?.fannedOut;
    assert.equal(await fannedOut(), false);
    assert.equal((await workOff(store, job.id))?.state, "done");
    const report = await store.finish({
      range,
      outcomes: [
        delivered(messageSeq, a),
        delivered(messageSeq, b, {
          state: "retrying",
          nextAttemptAt: after(3_600_000),
        }),
        {
          messageSeq,
          target: c,
          state: "waiting",
          attempts: 0,
          nextAttemptAt: after(3_600_000),
        },
      ],
    });
    assert.deepEqual(report, { kept: true, refused: [] });
    assert.equal(await fannedOut(), true);
    assert.equal(await hasRanges(store), false);
    assert.deepEqual(await claimRanges(store, leaseOf("b"), 10), []);
    assert.equal(await nextDueAt(store, clock), undefined);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 2,
    });
    const retried = await store.findDelivery(messageSeq, b);
    assert.deepEqual(
      retried?.attempts.map(({ statusCode }) => statusCode),
      [200],
    );
    const waited = await store.findDelivery(messageSeq, c);
    assert.equal(waited?.attemptCount, 0);
    assert.match(waited?.attempts[0]?.error ?? "", /message was cancelled/);
    const hours = await store.readStatistics(
      message.topic?.seq ?? 0,
      toEpochMs(0),
      after(9e6),
    );
    assert.deepEqual(
      hours.map(({ state, count }) => [state, count]).toSorted(),
      [
        ["cancelled", 2],
        ["delivered", 1],
      ],
    );
    const resend = await store.actOnDelivery(
      { messageSeq, target: b },
      order("resend", 3000),
      ada,
    );
    assert.equal(resend?.refused, "unwanted");
  });

  test("that it waited is not told, that it was cancelled is", async (store) => {
    const { messageSeq, range, targets } = await holdRange(store);
    await cancelMessage(store, messageSeq);
    const from = await store.readLatestPosition();
    await store.finish({
      range,
      outcomes: targets.map((target) =>
        delivered(messageSeq, target, {
          state: "retrying",
          nextAttemptAt: after(9000),
        }),
      ),
    });
    const read = await store.readChanges(from, 10);
    assert.ok(read.kind === "batches");
    const told = read.batches
      .flatMap(({ changes }) => changes)
      .filter((it) => it.kind === "deliveries")
      .map(({ state }) => state);
    assert.deepEqual([...new Set(told)], ["cancelled"]);
  });

  for (const [what, free] of [
    [
      "an engine that died held",
      async (store: Store, clock: ManualClock) => {
        clock.advance(2000);
        await store.reclaim();
      },
    ],
    [
      "an engine gives back",
      (store: Store, _: ManualClock, range: AudienceRange) =>
        store.release([{ range }]),
    ],
  ] as const) {
    test(`what ${what} of it is claimed to be recorded`, async (store, clock) => {
      const { message, messageSeq, range, targets } = await holdRange(
        store,
        1000,
      );
      await cancelMessage(store, messageSeq);
      await free(store, clock, range);
      const fannedOut = async () =>
        (await store.findMessage(projectId, message.id))?.fannedOut;
      assert.equal(await fannedOut(), false);
      const [claim, ...others] = await claimRanges(store, leaseOf("b"), 10);
      assert.ok(claim);
      assert.deepEqual(others, []);
      assert.equal(claim.isCancelled, true);
      const outcomes = targets.map((target) => ({
        messageSeq,
        target,
        state: "waiting" as const,
        attempts: 0,
        nextAttemptAt: after(3_600_000),
      }));
      await store.finish({ range: claim.range, outcomes });
      assert.equal(await fannedOut(), true);
      assert.equal(await hasRanges(store), false);
      const cancelled = targets.length;
      assert.deepEqual(await countsOf(store, message), { cancelled });
    });
  }

  test("an attempt that was under way is recorded, and not repeated", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock);
    const { messageSeq } = claim;
    const job = await cancelMessage(store, messageSeq);
    assert.equal((await workOff(store, job.id))?.done, 0);
    await recordOutcomes(store, [
      {
        messageSeq,
        target: 0,
        state: "retrying",
        attempts: 1,
        lastAttempt: { at: after(0), durationMs: 1, errorClass: "timeout" },
        nextAttemptAt: after(3_600_000),
        fence: claim.fence,
      },
    ]);
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
    const found = await store.findDelivery(messageSeq, 0);
    assert.equal(found?.attempts[0]?.errorClass, "timeout");
  });

  test("an attempt that goes on beyond its range may still succeed", async (store) => {
    const { message, messageSeq, range, targets } = await holdRange(store);
    const [a = 0, b = 0] = targets;
    await cancelMessage(store, messageSeq);
    const outcomes = [a, b].map((it) => underWay(messageSeq, it, leaseOf("a")));
    await store.finish({ range, outcomes });
    assert.deepEqual(await countsOf(store, message), { sending: 2 });
    await recordOutcomes(store, [
      { ...delivered(messageSeq, a), fence: 0 },
      {
        ...delivered(messageSeq, b, {
          state: "retrying",
          nextAttemptAt: after(9000),
        }),
        fence: 0,
      },
    ]);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 1,
    });
  });

  test("a claim that is given back is cancelled", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock);
    await cancelMessage(store, claim.messageSeq);
    await store.release([{ delivery: claim }], { delayMs: 3_600_000 });
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("b"), after(9e6), 9),
      [],
    );
  });

  test("what its subscribers would fetch is cancelled, not expired", async (store, clock) => {
    const filled = await holdMailboxes(store);
    const { message, messageSeq, range, subscriptions, outcomes } = filled;
    const [a, b] = subscriptions;
    assert.ok(a && b);
    const uptoTarget = b.seq;
    await store.finish({ range, outcomes: outcomes.slice(0, 2), uptoTarget });
    const [rest] = await claimRanges(store, leaseOf("a"), 1);
    assert.ok(rest);
    const held = await lease(store, a.mailbox);
    await cancelMessage(store, messageSeq);
    // Before the job came to them.
    await store.finish({ range: rest.range, outcomes: outcomes.slice(2) });
    const options = { delayMs: 0, maxDeliveries };
    assert.deepEqual(
      await store.nackLeases(a.mailbox, held, options, after(0)),
      [true],
    );
    assert.deepEqual(await statesOf(store, messageSeq), [
      "cancelled",
      "waiting",
      "cancelled",
    ]);
    assert.equal(await store.expireMessages(after(70_000), 10), 1);
    assert.deepEqual(await countsOf(store, message), { cancelled: 3 });
    for (const { mailbox } of subscriptions) {
      assert.deepEqual(await lease(store, mailbox), []);
    }
    clock.advance(70_000);
    assert.equal(await store.expireMessages(after(70_000), 10), 0);
  });

  test("what a subscriber who went away held of it is cancelled", async (store) => {
    const filled = await holdMailboxes(store);
    const { message, messageSeq, range, subscriptions, outcomes } = filled;
    const [it] = subscriptions;
    assert.ok(it);
    await store.finish({ range, outcomes: outcomes.slice(0, 1) });
    await lease(store, it.mailbox, { leaseMs: 1000 });
    await cancelMessage(store, messageSeq);
    await store.endLeases(after(2000), maxDeliveries, 9);
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
  });
}

/** The same to three mailboxes, with what is to be put into them. */
async function holdMailboxes(store: Store) {
  const topic = await addTopic(store);
  const subscriptions: PullSubscription[] = [];
  for (let n = 0; n < 3; n++) {
    subscriptions.push(await subscribeMailbox(store, topic));
  }
  const message = messageTo(topic);
  const { seq: messageSeq, range } = await store.acceptMessage(
    message,
    leaseOf("a"),
  );
  assert.ok(range);
  const outcomes = subscriptions.map((it) =>
    toFetch(messageSeq, it, { lifeMs: 60_000 }),
  );
  return { message, messageSeq, range, subscriptions, outcomes };
}

/** A message to three subscribers; an engine, `a`, holds its range. */
async function holdRange(store: Store, leaseMs?: number) {
  const topic = await addTopic(store);
  const subscriptions = await addSubscriptions(store, topic, 3);
  const message = messageTo(topic);
  const lease = leaseOf("a", leaseMs);
  const { seq: messageSeq, range } = await store.acceptMessage(message, lease);
  assert.ok(range);
  return {
    message,
    messageSeq,
    range,
    targets: subscriptions.map(({ seq }) => seq),
  };
}
