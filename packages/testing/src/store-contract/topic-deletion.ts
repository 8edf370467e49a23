import assert from "node:assert/strict";
import { cancelReasons } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  after,
  claimDue,
  claimRanges,
  completeRange,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  leaseOf,
  messageTo,
  nextDueAt,
  phones,
  projectId,
  recordOutcomes,
  start,
  underWay,
} from "./fixtures.ts";
import {
  cancelWithdrawn,
  lease,
  publishTo,
  subscribeMailbox,
} from "./mailbox-fixtures.ts";

export function testTopicDeletion({ test }: Cases): void {
  test("cancels what waits, and says why where no attempt does", async (store, clock) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    const waiting = { state: "waiting", attempts: 0 } as const;
    const seq = await fanOut(
      store,
      topic,
      (it) => [
        delivered(it, a.seq),
        delivered(it, b.seq, { state: "retrying", nextAttemptAt: start }),
        {
          messageSeq: it,
          target: c.seq,
          ...waiting,
          nextAttemptAt: start,
        },
      ],
      message,
    );
    const other = directMessage();
    await store.acceptDirectMessage(other, phones(1));
    await store.deleteTopic(projectId, topic.name, after(5));
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 2,
    });
    const retried = await store.findDelivery(seq, b.seq);
    assert.deepEqual(retried?.attempts, [delivered(seq, b.seq).lastAttempt]);
    const waited = await store.findDelivery(seq, c.seq);
    assert.deepEqual(waited?.attempts, [
      { at: after(5), durationMs: 0, error: cancelReasons.topic_deleted },
    ]);
    assert.equal(waited?.attemptCount, 0);
    assert.deepEqual(await countsOf(store, other), { waiting: 1 });
    assert.equal(
      (await claimDue(store, clock, leaseOf("a"), start, 9)).length,
      1,
    );
    assert.equal(await nextDueAt(store, clock), undefined);
  });

  test("cancels what its subscribers are to fetch, and leaves what they hold to them", async (store) => {
    const topic = await addTopic(store);
    const other = await addTopic(store);
    const waits = await subscribeMailbox(store, topic);
    const left = await subscribeMailbox(store, topic);
    const held = await subscribeMailbox(store, topic);
    const elsewhere = await subscribeMailbox(store, other);
    const all = [waits, left, held];
    const { message, seq } = await publishTo(store, topic, all);
    const short = { lifeMs: 1000 };
    const { message: kept } = await publishTo(store, other, [elsewhere], short);
    await store.cancelSubscription(left.id, () => undefined);
    const [claim] = await lease(store, held.mailbox);
    assert.ok(claim);
    await store.deleteTopic(projectId, topic.name, after(4));
    await cancelWithdrawn(store, 5);
    assert.deepEqual(await countsOf(store, message), {
      sending: 1,
      cancelled: 2,
    });
    const found = await store.findDelivery(seq, waits.seq);
    assert.deepEqual(found?.attempts, [
      { at: after(5), durationMs: 0, error: cancelReasons.topic_deleted },
    ]);
    const ack = await store.ackLeases(held.mailbox, [claim], after(6));
    assert.deepEqual(ack, [true]);
    assert.equal(await store.expireMessages(after(999), 9), 0);
    assert.equal(await store.expireMessages(after(1000), 9), 1);
    assert.deepEqual(await countsOf(store, kept), { expired: 1 });
  });

  test("records what comes of an attempt that was under way", async (store, clock) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const message = messageTo(topic);
    const lease = leaseOf("a");
    const seq = await fanOut(
      store,
      topic,
      (it) => [a, b].map((each) => underWay(it, each.seq, lease)),
      message,
    );
    await store.deleteTopic(projectId, topic.name, start);
    assert.deepEqual(await countsOf(store, message), { sending: 2 });
    await store.renew(lease);
    await recordOutcomes(store, [
      { ...delivered(seq, a.seq), fence: 0 },
      {
        ...delivered(seq, b.seq, { state: "retrying" }),
        nextAttemptAt: after(1),
        fence: 0,
      },
    ]);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      retrying: 1,
    });
    assert.deepEqual(await claimDue(store, clock, lease, after(1), 9), []);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 1,
    });
  });

  test("cancels an attempt that was under way and whose engine died", async (store, clock) => {
    const topic = await addTopic(store);
    const { seq } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const lease = leaseOf("a", 10);
    await fanOut(store, topic, (it) => [underWay(it, seq, lease)], message);
    await store.deleteTopic(projectId, topic.name, start);
    clock.advance(10);
    await store.reclaim();
    assert.deepEqual(await claimDue(store, clock, lease, after(10), 9), []);
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
  });

  test("leaves its ranges to those who hold them, to be explained", async (store) => {
    const topic = await addTopic(store);
    const [a, gone, b] = await addSubscriptions(store, topic, 3);
    assert.ok(a && gone && b);
    await addUnconfirmed(store, topic);
    await store.deleteSubscription(projectId, topic.name, gone.id, start);
    const [held, waiting] = [messageTo(topic), messageTo(topic)];
    const { seq, range } = await store.acceptMessage(held, leaseOf("a"));
    await store.acceptMessage(waiting, undefined);
    assert.ok(range);
    const before = await store.readAudience(range, 10);
    await store.deleteTopic(projectId, topic.name, start);
    const audience = await store.readAudience(range, 10);
    assert.deepEqual(
      audience,
      before.map((recipient) => ({ ...recipient, cancelled: true })),
    );
    assert.deepEqual(
      audience.map(({ target }) => target),
      [a.seq, b.seq],
    );
    const { kept } = await completeRange(store, range, [
      delivered(seq, a.seq),
      delivered(seq, b.seq, { state: "cancelled", attempts: 0 }),
    ]);
    assert.equal(kept, true);
    assert.deepEqual(await countsOf(store, held), {
      delivered: 1,
      cancelled: 1,
    });
    const [work] = await claimRanges(store, leaseOf("a"), 9);
    assert.equal(work?.message.id, waiting.id);
  });

  test("has no audience for what is accepted after it", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    await store.deleteTopic(projectId, topic.name, start);
    const message = messageTo(topic);
    const { range } = await store.acceptMessage(message, leaseOf("a"));
    assert.equal(range, undefined);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.fannedOut, true);
  });
}
