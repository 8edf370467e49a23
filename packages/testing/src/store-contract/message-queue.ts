import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import {
  type MessageLease,
  maxEventsOfStream,
  type QueueOutcomes,
  type Store,
  toEpochMs,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addTopic,
  after,
  claimDue,
  claimRanges,
  countsOf,
  leaseOf,
  messageTo,
  nextDueAt,
  projectId,
  start,
} from "./fixtures.ts";
import {
  cancelWithdrawn,
  lease,
  maxDeliveries,
  type PullSubscription,
  publishTo,
  seqsOf,
  subscribeMailbox,
  toFetch,
} from "./mailbox-fixtures.ts";

export function testMessageQueue({ test }: Cases): void {
  test("keeps what subscribers fetch from the engines", async (store, clock) => {
    const { message, mailbox } = await fill(store, 1);
    assert.equal(await nextDueAt(store, clock), undefined);
    const due = await claimDue(store, clock, leaseOf("a"), after(9e5), 9);
    assert.deepEqual(due, []);
    assert.deepEqual(await store.countBacklog(9), {
      waiting: 0,
      retrying: 0,
      ranges: 0,
    });
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    assert.equal((await lease(store, mailbox)).length, 1);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    clock.advance(9e6);
    assert.deepEqual(await store.reclaim(), { freed: 0, interrupted: 0 });
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
  });

  test("hands out oldest first, what is in the mailbox and nothing else", async (store) => {
    const topic = await addTopic(store);
    const one = await subscribeMailbox(store, topic);
    const other = await subscribeMailbox(store, topic);
    const seqs: number[] = [];
    for (let n = 0; n < 3; n++) {
      seqs.push((await publishTo(store, topic, [one, other])).seq);
    }
    const first = await lease(store, one.mailbox, { limit: 2 });
    assert.deepEqual(
      first,
      seqs.slice(0, 2).map((messageSeq) => ({
        messageSeq,
        target: one.seq,
        fence: 1,
        deliveryCount: 1,
        until: after(60_000),
        topicSeq: topic.seq,
      })),
    );
    const rest = await lease(store, one.mailbox, { limit: 2 });
    assert.deepEqual(seqsOf(rest), seqs.slice(2));
    assert.deepEqual(await lease(store, one.mailbox), []);
    assert.deepEqual(seqsOf(await lease(store, other.mailbox)), seqs);
    assert.deepEqual(await lease(store, 999), []);
  });

  test("one mailbox is filled by all its subscriptions", async (store) => {
    const topics = [await addTopic(store), await addTopic(store)];
    const seqs: number[] = [];
    let mailbox = 0;
    for (const topic of topics) {
      const subscription = await subscribeMailbox(store, topic, {
        name: "till",
      });
      ({ mailbox } = subscription);
      seqs.push((await publishTo(store, topic, [subscription])).seq);
    }
    const leases = await lease(store, mailbox);
    assert.deepEqual(seqsOf(leases), seqs);
    assert.deepEqual(
      leases.map(({ topicSeq }) => topicSeq),
      topics.map(({ seq }) => seq),
    );
    assert.equal((await store.findMailbox(projectId, "till"))?.depth, 2);
  });

  test("the audience of a topic comes with the mailboxes", async (store) => {
    const topic = await addTopic(store);
    const { mailbox } = await subscribeMailbox(store, topic);
    for (let n = 0; n < 2; n++) {
      await store.acceptMessage(messageTo(topic), undefined);
      const [claimed] = await claimRanges(store, leaseOf("a"), 1);
      assert.ok(claimed);
      const [recipient] = await store.readAudience(claimed.range, 9);
      assert.equal(recipient?.mailbox, mailbox);
    }
  });

  test("answers many requests at once, each with its own", async (store) => {
    const topic = await addTopic(store);
    const all: PullSubscription[] = [];
    for (let n = 0; n < 20; n++) {
      all.push(await subscribeMailbox(store, topic));
    }
    const { seq } = await publishTo(store, topic, all);
    const requests = [...all, ...all].map(({ mailbox }) => ({
      mailbox,
      limit: 5,
      leaseMs: 1000,
    }));
    const answers = await store.leaseMessages(requests, start, maxDeliveries);
    const expected = [...all.map((it) => [it.seq]), ...all.map(() => [])];
    assert.deepEqual(
      answers.map((leases) => leases.map(({ target }) => target)),
      expected,
    );
    assert.deepEqual(new Set(answers.flatMap(seqsOf)), new Set([seq]));
  });

  test("two consumers never hold the same one", async (store) => {
    const { mailbox } = await fill(store, 20);
    const leases = await Promise.all(
      Array.from({ length: 8 }, () => lease(store, mailbox, { limit: 5 })),
    );
    const seqs = leases.flatMap(seqsOf);
    assert.equal(seqs.length, 20);
    assert.equal(new Set(seqs).size, 20);
  });

  test("an ack ends it, and says so again, but counts once", async (store) => {
    const { message, mailbox, topic } = await fill(store, 1);
    const [held] = await lease(store, mailbox);
    assert.ok(held);
    const ack = (atMs: number) => store.ackLeases(mailbox, [held], after(atMs));
    assert.deepEqual(await ack(5), [true]);
    assert.deepEqual(await ack(6), [true]);
    assert.deepEqual(await ack(9e6), [true]);
    const other = await subscribeMailbox(store, topic);
    const foreign = await store.ackLeases(other.mailbox, [held], after(6));
    assert.deepEqual(foreign, [false]);
    const before = { ...held, fence: held.fence - 1 };
    const earlier = await store.ackLeases(mailbox, [before], after(6));
    assert.deepEqual(earlier, [false]);
    assert.deepEqual(await nack(store, mailbox, held), [false]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const found = await store.findDelivery(held.messageSeq, held.target);
    assert.equal(found?.attemptCount, 1);
    assert.deepEqual(found?.attempts, [{ at: after(5), durationMs: 0 }]);
    assert.deepEqual(await lease(store, mailbox, { atMs: 9e5 }), []);
    assert.equal(await depthOf(store, mailbox), 0);
    const hour = await store.readStatistics(
      topic.seq,
      toEpochMs(0),
      after(9e6),
    );
    assert.deepEqual(
      hour.map(({ state, count }) => [state, count]),
      [["delivered", 1]],
    );
  });

  test("refuses keys whose lease is not held, or is of another mailbox", async (store) => {
    const { message, mailbox } = await fill(store, 1);
    const { mailbox: foreign } = await fill(store, 1);
    const [held] = await lease(store, mailbox);
    assert.ok(held);
    const wrong = [
      { ...held, fence: held.fence - 1 },
      { ...held, fence: held.fence + 1 },
      { ...held, target: 999 },
      { ...held, messageSeq: 999 },
    ];
    const none = wrong.map(() => false);
    const options = { delayMs: 0, maxDeliveries };
    for (const [box, keys, expected] of [
      [mailbox, wrong, none],
      [foreign, [held], [false]],
    ] as const) {
      assert.deepEqual(await store.ackLeases(box, keys, start), expected);
      assert.deepEqual(
        await store.nackLeases(box, keys, options, start),
        expected,
      );
      assert.deepEqual(
        await store.extendLeases(box, keys, 9e6, start),
        expected,
      );
      assert.deepEqual(await store.returnLeases(box, keys, start), expected);
    }
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    assert.deepEqual(await store.ackLeases(mailbox, [held, held], start), [
      true,
      true,
    ]);
  });

  test("an ack after the lease's end is stale, though nobody ended it", async (store) => {
    const { mailbox } = await fill(store, 1);
    const [held] = await lease(store, mailbox, { leaseMs: 1000 });
    assert.ok(held);
    assert.deepEqual(await store.ackLeases(mailbox, [held], after(1000)), [
      false,
    ]);
    assert.deepEqual(
      await store.extendLeases(mailbox, [held], 1000, after(1000)),
      [false],
    );
    const [again] = await lease(store, mailbox, { atMs: 1000 });
    assert.equal(again?.messageSeq, held.messageSeq);
    assert.equal(again?.deliveryCount, 2);
    assert.ok(again.fence > held.fence);
    assert.deepEqual(
      await store.ackLeases(mailbox, [held, again], after(1001)),
      [false, true],
    );
  });

  test("an extended lease ends later", async (store) => {
    const { mailbox } = await fill(store, 1);
    const [held] = await lease(store, mailbox, { leaseMs: 1000 });
    assert.ok(held);
    assert.deepEqual(
      await store.extendLeases(mailbox, [held], 1000, after(900)),
      [true],
    );
    assert.equal(await store.nextLeaseEnd(), after(1900));
    assert.deepEqual(await lease(store, mailbox, { atMs: 1899 }), []);
    assert.deepEqual(await store.ackLeases(mailbox, [held], after(1899)), [
      true,
    ]);
    assert.equal(await store.nextLeaseEnd(), undefined);
  });

  test("what is given back waits again, at once or after a delay", async (store) => {
    const { message, mailbox } = await fill(store, 1);
    const [held] = await lease(store, mailbox);
    assert.ok(held);
    assert.deepEqual(await nack(store, mailbox, held), [true]);
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    const [again] = await lease(store, mailbox);
    assert.ok(again);
    assert.equal(again.deliveryCount, 2);
    assert.deepEqual(await store.ackLeases(mailbox, [held], start), [false]);
    const delayed = await nack(store, mailbox, again, { delayMs: 500 });
    assert.deepEqual(delayed, [true]);
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    // It is leased no more, whatever its end says.
    assert.deepEqual(await store.ackLeases(mailbox, [again], start), [false]);
    assert.equal(await store.mayHaveMessages(mailbox, after(499)), false);
    assert.deepEqual(await lease(store, mailbox, { atMs: 499 }), []);
    assert.equal(await store.nextLeaseEnd(), after(500));
    assert.equal(await store.mayHaveMessages(mailbox, after(500)), true);
    const [third] = await lease(store, mailbox, { atMs: 500 });
    assert.equal(third?.deliveryCount, 3);
  });

  test("what was not handed out after all is not counted", async (store) => {
    const { message, mailbox } = await fill(store, 1);
    const [held] = await lease(store, mailbox);
    assert.ok(held);
    assert.deepEqual(await store.returnLeases(mailbox, [held], start), [true]);
    assert.deepEqual(await store.returnLeases(mailbox, [held], start), [false]);
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    const [again] = await lease(store, mailbox);
    assert.equal(again?.deliveryCount, 1);
    assert.ok(again.fence > held.fence);
  });

  test("ends leases that are over, first end first", async (store) => {
    const { mailbox, seqs } = await fill(store, 3);
    for (const leaseMs of [3000, 1000, 2000]) {
      await lease(store, mailbox, { limit: 1, leaseMs });
    }
    assert.equal(await store.nextLeaseEnd(), after(1000));
    const end = (atMs: number, limit: number) =>
      store.endLeases(after(atMs), maxDeliveries, limit);
    assert.deepEqual(await end(999, 9), {
      returned: 0,
      dead: 0,
      mayHaveMore: false,
    });
    assert.deepEqual(await end(3000, 2), {
      returned: 2,
      dead: 0,
      mayHaveMore: true,
    });
    assert.equal(await store.nextLeaseEnd(), after(3000));
    const back = seqsOf(await lease(store, mailbox, { atMs: 2999 }));
    assert.deepEqual(back, seqs.slice(1));
  });

  test("what was handed out as often as may be is dead, until it is redriven", async (store) => {
    const { message, mailbox, seqs, topic } = await fill(store, 1);
    const [seq = 0] = seqs;
    for (let n = 1; n <= 3; n++) {
      const [held] = await lease(store, mailbox, {
        leaseMs: 1000,
        atMs: n * 1000,
        max: 3,
      });
      assert.equal(held?.deliveryCount, n);
    }
    assert.deepEqual(await store.endLeases(after(4000), 3, 9), {
      returned: 0,
      dead: 1,
      mayHaveMore: false,
    });
    assert.deepEqual(await countsOf(store, message), { failed: 1 });
    assert.equal(await depthOf(store, mailbox), 0);
    assert.deepEqual(await lease(store, mailbox, { atMs: 9e6, max: 3 }), []);
    const [dead, ...others] = await store.listDeadMessages(mailbox, {
      limit: 9,
    });
    assert.deepEqual(others, []);
    assert.deepEqual(
      { ...dead, reason: "" },
      {
        messageSeq: seq,
        target: dead?.target,
        topicSeq: topic.seq,
        deliveryCount: 3,
        reason: "",
        diedAt: after(4000),
      },
    );
    assert.match(dead?.reason ?? "", /3 times/);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.unqueued, undefined);

    const choice = { messageSeqs: [seq, 999] };
    const redrive = () =>
      store.redriveMessages(mailbox, choice, after(8e6), after(5000));
    assert.equal(await redrive(), 1);
    assert.equal(await redrive(), 0);
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    assert.equal(await depthOf(store, mailbox), 1);
    assert.deepEqual(await store.listDeadMessages(mailbox, { limit: 9 }), []);
    const [again] = await lease(store, mailbox, { atMs: 7e6, max: 3 });
    assert.equal(again?.deliveryCount, 1);
  });

  test("a nack of the last delivery ends in the dead letters too", async (store) => {
    const { mailbox } = await fill(store, 1);
    const [held] = await lease(store, mailbox);
    assert.ok(held);
    const options = { delayMs: 500, maxDeliveries: 1 };
    assert.deepEqual(await nack(store, mailbox, held, options), [true]);
    const [dead] = await store.listDeadMessages(mailbox, { limit: 9 });
    assert.equal(dead?.deliveryCount, 1);
    assert.equal(await store.nextLeaseEnd(), undefined);
  });

  test("lists dead letters page by page, and redrives the oldest", async (store) => {
    const { mailbox, seqs } = await fill(store, 5);
    await lease(store, mailbox, { leaseMs: 1 });
    await store.endLeases(after(1), 1, 9);
    const list = async (limit: number, behind?: number) => {
      const page = { limit, ...(behind !== undefined && { after: behind }) };
      const dead = await store.listDeadMessages(mailbox, page);
      return dead.map(({ messageSeq }) => messageSeq);
    };
    assert.deepEqual(await list(2), seqs.slice(0, 2));
    assert.deepEqual(await list(9, seqs[1]), seqs.slice(2));
    const redrive = { limit: 2 };
    assert.equal(
      await store.redriveMessages(mailbox, redrive, after(9e6), after(2)),
      2,
    );
    assert.deepEqual(await list(9), seqs.slice(2));
    const leases = await lease(store, mailbox, { atMs: 2 });
    assert.deepEqual(seqsOf(leases), seqs.slice(0, 2));
  });

  test("dead letters leave their list when their time is over, and stay in the ledger", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 3 });
    const published = [];
    for (let n = 0; n < 3; n++) {
      published.push(await publishTo(store, topic, [it]));
    }
    const bury = async (atMs: number) => {
      const [held] = await lease(store, it.mailbox, { limit: 1, atMs });
      assert.ok(held);
      await nack(store, it.mailbox, held, { maxDeliveries: 1 }, atMs);
    };
    for (const atMs of [1000, 2000, 3000]) await bury(atMs);
    const listed = async () => {
      const dead = await store.listDeadMessages(it.mailbox, { limit: 9 });
      return dead.map(({ messageSeq }) => messageSeq);
    };
    assert.equal(await store.forgetDeadMessages(after(999), 9), 0);
    assert.equal(await store.forgetDeadMessages(after(2000), 1), 1);
    assert.equal(await store.forgetDeadMessages(after(2000), 9), 1);
    assert.equal(await store.forgetDeadMessages(after(2000), 9), 0);
    const [first, , third] = published;
    assert.ok(first && third);
    assert.deepEqual(await listed(), [third.seq]);
    assert.deepEqual(await countsOf(store, first.message), { failed: 1 });
    const { dead } = await store.countMailboxMessages(it.mailbox);
    assert.equal(dead, 1);
    assert.equal(await depthOf(store, it.mailbox), 0);
    const again = { messageSeqs: [first.seq] };
    assert.equal(
      await store.redriveMessages(it.mailbox, again, after(9e6), after(4000)),
      0,
    );
    await store.deleteMailbox(projectId, it.endpoint, after(4000));
    assert.equal(await store.forgetDeadMessages(after(9000), 9), 1);
  });

  test("what is over the quota fails with the reason, exactly", async (store) => {
    const topic = await addTopic(store);
    const small = await subscribeMailbox(store, topic, { quota: 3 });
    const large = await subscribeMailbox(store, topic);
    const both = [small, large];
    const publishing = Array.from({ length: 5 }, () =>
      publishTo(store, topic, both),
    );
    const published = await Promise.all(publishing);
    const refused = published.filter(({ report }) => report.unqueued);
    assert.equal(refused.length, 2);
    for (const { report, message, seq } of refused) {
      const [one, ...others] = report.unqueued ?? [];
      assert.deepEqual(others, []);
      assert.deepEqual(
        { ...one, reason: "" },
        { messageSeq: seq, target: small.seq, reason: "" },
      );
      assert.match(one?.reason ?? "", /full.*quota is 3/);
      assert.deepEqual(await countsOf(store, message), {
        failed: 1,
        waiting: 1,
      });
      const found = await store.findMessage(projectId, message.id);
      assert.equal(found?.unqueued, 1);
      const delivery = await store.findDelivery(seq, small.seq);
      assert.equal(delivery?.attempts[0]?.errorClass, "mailbox");
      assert.equal(delivery?.attempts[0]?.error, one?.reason);
      assert.equal(delivery?.attemptCount, 0);
    }
    assert.equal(await depthOf(store, small.mailbox), 3);
    assert.equal(await depthOf(store, large.mailbox), 5);

    // Leased ones count, confirmed ones do not.
    const [held] = await lease(store, small.mailbox);
    assert.ok(held);
    const fourth = await publishTo(store, topic, both);
    assert.equal(fourth.report.unqueued?.length, 1);
    await store.ackLeases(small.mailbox, [held], after(1));
    const fifth = await publishTo(store, topic, both);
    assert.equal(fifth.report.unqueued, undefined);
  });

  test("what is past its life in a full mailbox makes room for what comes", async (store, clock) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 3 });
    const other = await subscribeMailbox(store, topic, { quota: 3 });
    const publish = (lifeMs: number) =>
      publishTo(store, topic, [it, other], { lifeMs, orderingKey: "k" });
    const first = await publish(1000);
    const held = await lease(store, it.mailbox, { leaseMs: 5000 });
    assert.equal(held.length, 1);
    const second = await publish(1000);
    const third = await publish(9e6);
    clock.advance(999);
    const early = await publish(9e6);
    assert.equal(early.report.unqueued?.length, 2);
    clock.advance(1);
    // Leased, the first one is its subscriber's: one comes in for the second.
    const late = await publish(9e6);
    assert.equal(late.report.unqueued, undefined);
    assert.deepEqual(await countsOf(store, second.message), { expired: 2 });
    assert.deepEqual(await countsOf(store, first.message), {
      sending: 1,
      expired: 1,
    });
    const later = await publish(9e6);
    assert.deepEqual(
      later.report.unqueued?.map(({ target }) => target),
      [it.seq],
    );
    assert.equal(await depthOf(store, it.mailbox), 3);
    assert.equal(await depthOf(store, other.mailbox), 3);
    // It is the next of its ordering key.
    const next = await lease(store, other.mailbox, { atMs: 1000 });
    assert.deepEqual(seqsOf(next), [third.seq]);
  });

  test("what makes room in vain lets the next of its ordering key be leased", async (store, clock) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { name: "till", quota: 3 });
    const publish = (lifeMs: number) =>
      publishTo(store, topic, [it], { lifeMs, orderingKey: "k" });
    await publish(1000);
    const second = await publish(9e6);
    await publish(9e6);
    await store.updateMailbox(projectId, "till", { quota: 1 });
    clock.advance(1000);
    assert.equal((await publish(9e6)).report.unqueued?.length, 1);
    const next = await lease(store, it.mailbox, { atMs: 1000 });
    assert.deepEqual(seqsOf(next), [second.seq]);
  });

  test("redrives into a full mailbox in place of what is past its life there", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 2 });
    for (const lifeMs of [1000, 9e6, 9e6, 9e6]) {
      await publishTo(store, topic, [it], { lifeMs });
    }
    const redrive = (atMs: number) =>
      store.redriveMessages(it.mailbox, { limit: 9 }, after(9e6), after(atMs));
    assert.equal(await redrive(999), 0);
    assert.equal(await redrive(1000), 1);
    assert.equal(await depthOf(store, it.mailbox), 2);
  });

  test("redrives no more than the quota leaves room for", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 2 });
    const messages = [];
    for (let n = 0; n < 5; n++) {
      messages.push((await publishTo(store, topic, [it])).message);
    }
    const redrive = (limit: number) =>
      store.redriveMessages(it.mailbox, { limit }, after(9e6), after(1));
    assert.equal(await redrive(9), 0);
    const [held] = await lease(store, it.mailbox, { limit: 1 });
    assert.ok(held);
    await store.ackLeases(it.mailbox, [held], after(1));
    assert.equal(await redrive(9), 1);
    assert.equal(await depthOf(store, it.mailbox), 2);
    const third = messages[2];
    assert.ok(third);
    const report = await store.findMessage(projectId, third.id);
    assert.deepEqual(report?.counts, { waiting: 1 });
    assert.equal(report.unqueued, undefined);
  });

  test("a disabled mailbox takes nothing, and keeps what it has", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { name: "till" });
    await publishTo(store, topic, [it]);
    await store.updateMailbox(projectId, "till", { disabled: true });
    const { report } = await publishTo(store, topic, [it]);
    assert.match(report.unqueued?.[0]?.reason ?? "", /disabled/);
    assert.equal(await depthOf(store, it.mailbox), 1);
    await store.updateMailbox(projectId, "till", { disabled: false });
    const after = await publishTo(store, topic, [it]);
    assert.equal(after.report.unqueued, undefined);
    assert.equal((await lease(store, it.mailbox)).length, 2);
  });

  test("fails what a deleted mailbox cannot take, on no list", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { name: "till" });
    const { seq, range } = await store.acceptMessage(
      messageTo(topic),
      leaseOf("a"),
    );
    assert.ok(range);
    await store.deleteMailbox(projectId, "till", after(1));
    const outcomes = [toFetch(seq, it)];
    const report = await store.finish({ range, outcomes });
    assert.match(report.unqueued?.[0]?.reason ?? "", /deleted/);
    assert.deepEqual(
      await store.listDeadMessages(it.mailbox, { limit: 9 }),
      [],
    );
    const found = await store.findDelivery(seq, it.seq);
    assert.equal(found?.state, "failed");
  });

  test("a range that runs twice leaves what is in mailboxes as it is", async (store, clock) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { quota: 1 });
    const { seq, range } = await store.acceptMessage(
      messageTo(topic),
      leaseOf("a", 100),
    );
    assert.ok(range);
    const first = { range, outcomes: [toFetch(seq, it)], uptoTarget: it.seq };
    assert.equal((await store.finish(first)).unqueued, undefined);
    const [held] = await lease(store, it.mailbox);
    assert.ok(held);
    await store.returnLeases(it.mailbox, [held], start);
    clock.advance(200);
    const [rest] = await claimRanges(store, leaseOf("b"), 1);
    assert.ok(rest);
    const again = { range: rest.range, outcomes: [toFetch(seq, it)] };
    const report = await store.finish(again);
    assert.equal(report.unqueued, undefined);
    assert.equal(await depthOf(store, it.mailbox), 1);
    const [second] = await lease(store, it.mailbox);
    assert.ok(second && second.fence > held.fence);
  });

  test("what nobody fetches in time expires, in batches", async (store) => {
    const { message, mailbox } = await fill(store, 1, { lifeMs: 1000 });
    const [held] = await lease(store, mailbox, { leaseMs: 5000 });
    assert.ok(held);
    const other = await fill(store, 2, { lifeMs: 1000 });
    assert.equal(await store.expireMessages(after(999), 9), 0);
    assert.equal(await store.expireMessages(after(1000), 1), 1);
    assert.equal(await store.expireMessages(after(1000), 9), 1);
    assert.equal(await depthOf(store, other.mailbox), 0);
    // Leased: its subscriber may be in time, or give it back.
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    assert.deepEqual(await nack(store, mailbox, held), [true]);
    assert.equal(await store.mayHaveMessages(mailbox, after(1000)), false);
    assert.deepEqual(await lease(store, mailbox, { atMs: 1000 }), []);
    assert.equal(await store.expireMessages(after(1000), 9), 1);
    assert.deepEqual(await countsOf(store, message), { expired: 1 });
    const found = await store.findDelivery(held.messageSeq, held.target);
    assert.equal(found?.attempts.at(-1)?.errorClass, "expired");
    assert.equal(await store.expireMessages(after(9e6), 9), 0);
  });

  test("what is confirmed late, but under its lease, is delivered", async (store) => {
    const { message, mailbox } = await fill(store, 1, { lifeMs: 1000 });
    const [held] = await lease(store, mailbox, { leaseMs: 5000 });
    assert.ok(held);
    assert.deepEqual(await store.ackLeases(mailbox, [held], after(4999)), [
      true,
    ]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("delayed and blocked ones expire, and free those behind them", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const publish = (lifeMs: number) =>
      publishTo(store, topic, [it], { orderingKey: "k", lifeMs });
    await publish(1000);
    await publish(1000);
    const { seq } = await publish(9e5);
    const [held] = await lease(store, it.mailbox);
    assert.ok(held);
    await nack(store, it.mailbox, held, { delayMs: 8e5 });
    assert.equal(await store.expireMessages(after(1000), 9), 2);
    const leases = await lease(store, it.mailbox, { atMs: 1000 });
    assert.deepEqual(seqsOf(leases), [seq]);
  });

  test("of an ordering key one is handed out when those before it are done", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const other = await subscribeMailbox(store, topic);
    const publish = async (orderingKey?: string) => {
      const options = orderingKey === undefined ? {} : { orderingKey };
      return (await publishTo(store, topic, [it, other], options)).seq;
    };
    const [a1, a2, b1, none, a3] = [
      await publish("a"),
      await publish("a"),
      await publish("b"),
      await publish(),
      await publish("a"),
    ];
    const fetch = async (atMs = 0) => lease(store, it.mailbox, { atMs });
    const first = await fetch();
    assert.deepEqual(seqsOf(first), [a1, b1, none]);
    assert.deepEqual(await fetch(), []);
    assert.equal(await store.mayHaveMessages(it.mailbox, start), false);
    const [held] = first;
    assert.ok(held);
    // Given back, it still comes before the others.
    await nack(store, it.mailbox, held, { delayMs: 100 });
    assert.deepEqual(await fetch(99), []);
    const [again] = await fetch(100);
    assert.equal(again?.messageSeq, a1);
    await store.ackLeases(it.mailbox, [again], after(101));
    const [second, ...others] = await fetch(101);
    assert.deepEqual(others, []);
    assert.equal(second?.messageSeq, a2);
    // Dead, it is in nobody's way.
    await nack(store, it.mailbox, second, { maxDeliveries: 1 }, 102);
    const [third] = await fetch(102);
    assert.equal(third?.messageSeq, a3);
    const there = await lease(store, other.mailbox);
    assert.deepEqual(seqsOf(there), [a1, b1, none]);
  });

  test("what comes back before others of its key is handed out before them", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const seqs: number[] = [];
    for (let n = 0; n < 3; n++) {
      const options = { orderingKey: "k" };
      seqs.push((await publishTo(store, topic, [it], options)).seq);
    }
    const [first] = await lease(store, it.mailbox);
    assert.ok(first);
    await nack(store, it.mailbox, first, { maxDeliveries: 1 });
    const redriven = await store.redriveMessages(
      it.mailbox,
      { limit: 9 },
      after(9e6),
      start,
    );
    assert.equal(redriven, 1);
    for (const seq of seqs) {
      const leases = await lease(store, it.mailbox);
      assert.deepEqual(seqsOf(leases), [seq]);
      await store.ackLeases(it.mailbox, leases, start);
    }
  });

  test("an earlier message that is fanned out later blocks those behind it", async (store, clock) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const options = { orderingKey: "k" };
    const early = messageTo(topic, { ...options, notBefore: after(1) });
    const { seq } = await store.acceptMessage(early, undefined);
    const late = await publishTo(store, topic, [it], options);
    clock.advance(1);
    const [claimed] = await claimRanges(store, leaseOf("a"), 1);
    assert.ok(claimed);
    const { range } = claimed;
    await store.finish({ range, outcomes: [toFetch(seq, it, options)] });
    const leases = await lease(store, it.mailbox);
    assert.deepEqual(seqsOf(leases), [seq]);
    await store.ackLeases(it.mailbox, leases, start);
    assert.deepEqual(seqsOf(await lease(store, it.mailbox)), [late.seq]);
  });

  test("what is leased when its subscription, or its topic, is deleted waits no more", async (store) => {
    const nackOf = { delayMs: 1000, maxDeliveries };
    for (const what of ["subscription", "topic"]) {
      const topic = await addTopic(store);
      const it = await subscribeMailbox(store, topic);
      const { message } = await publishTo(store, topic, [it]);
      for (let n = 0; n < 2; n++) await publishTo(store, topic, [it]);
      const [ended, back, delayed] = await lease(store, it.mailbox);
      assert.ok(ended && back && delayed);
      if (what === "topic") {
        await store.deleteTopic(projectId, topic.name, start);
      } else {
        await store.deleteSubscription(projectId, topic.name, it.id, start);
      }
      await store.returnLeases(it.mailbox, [back], start);
      await store.nackLeases(it.mailbox, [delayed], nackOf, start);
      await store.endLeases(after(60_000), maxDeliveries, 10);
      assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
      for (const { messageSeq, target } of [back, delayed]) {
        const delivery = await store.findDelivery(messageSeq, target);
        assert.equal(delivery?.state, "cancelled");
      }
      assert.equal(await depthOf(store, it.mailbox), 0);
    }
  });

  test("a dead one that is put back before a leased one of its ordering key waits for its end", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const options = { orderingKey: "k" };
    const first = await publishTo(store, topic, [it], options);
    const second = await publishTo(store, topic, [it], options);
    const [dying] = await lease(store, it.mailbox);
    assert.ok(dying);
    await store.nackLeases(
      it.mailbox,
      [dying],
      { delayMs: 0, maxDeliveries: 1 },
      start,
    );
    const held = await lease(store, it.mailbox);
    assert.deepEqual(seqsOf(held), [second.seq]);
    const far = after(9e6);
    await store.redriveMessages(it.mailbox, { limit: 1 }, far, start);
    assert.deepEqual(await lease(store, it.mailbox), []);
    // The earlier one comes first then.
    await store.returnLeases(it.mailbox, held, start);
    const again = await lease(store, it.mailbox);
    assert.deepEqual(seqsOf(again), [first.seq]);
    await store.ackLeases(it.mailbox, again, start);
    assert.deepEqual(seqsOf(await lease(store, it.mailbox)), [second.seq]);
  });

  test("puts nothing back into a mailbox that is disabled", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    await publishTo(store, topic, [it]);
    const leases = await lease(store, it.mailbox);
    const nackOf = { delayMs: 0, maxDeliveries: 1 };
    await store.nackLeases(it.mailbox, leases, nackOf, start);
    const redrive = () =>
      store.redriveMessages(it.mailbox, { limit: 9 }, after(9e6), start);
    const { endpoint } = it;
    await store.updateMailbox(projectId, endpoint, { disabled: true });
    assert.equal(await redrive(), 0);
    await store.updateMailbox(projectId, endpoint, { disabled: false });
    assert.equal(await redrive(), 1);
  });

  test("only who confirmed a message by its id is known to confirm by id", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const { seq } = await publishTo(store, topic, [it]);
    const confirmsById = async () =>
      (await store.findMailbox(projectId, it.endpoint))?.confirmsById === true;
    await store.confirmMessages(it.mailbox, [], true, start);
    await store.confirmMessages(it.mailbox, [seq + 9], true, start);
    await store.confirmMessages(it.mailbox, [seq], false, start);
    assert.equal(await confirmsById(), false);
    await store.confirmMessages(it.mailbox, [seq], true, start);
    assert.equal(await confirmsById(), true);
  });

  test("an operator's cancel lets the next of its key through", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const options = { orderingKey: "k" };
    const { seq: messageSeq } = await publishTo(store, topic, [it], options);
    const next = await publishTo(store, topic, [it], options);
    const key = { messageSeq, target: it.seq };
    const order = {
      action: "cancel",
      now: start,
      lives: {},
      pullProtocols: ["pull"],
    } as const;
    const ada = { userId: "u1", userName: "ada" };
    assert.deepEqual(await store.actOnDelivery(key, order, ada), {
      state: "cancelled",
    });
    assert.equal(await depthOf(store, it.mailbox), 1);
    assert.deepEqual(seqsOf(await lease(store, it.mailbox)), [next.seq]);
  });

  test("who left is handed nothing", async (store) => {
    const { message, mailbox, subscription } = await fill(store, 1);
    const later = await fill(store, 0, {}, subscription.endpoint);
    const { seq } = await publishTo(store, later.topic, [later.subscription]);
    await store.cancelSubscription(subscription.id, () => undefined);
    // What is cancelled takes no other's place.
    const leases = await lease(store, mailbox, { limit: 1 });
    assert.deepEqual(seqsOf(leases), [seq]);
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
    assert.equal(await depthOf(store, mailbox), 1);
  });

  test("a subscription that is deleted leaves nothing to fetch", async (store) => {
    const { message, mailbox, subscription, topic } = await fill(store, 1);
    const [held] = await lease(store, mailbox);
    assert.ok(held);
    const next = await publishTo(store, topic, [subscription]);
    await store.deleteSubscription(
      projectId,
      topic.name,
      subscription.id,
      start,
    );
    await cancelWithdrawn(store);
    assert.deepEqual(await countsOf(store, next.message), { cancelled: 1 });
    assert.equal(await store.mayHaveMessages(mailbox, start), false);
    // What is leased cannot be taken back.
    assert.deepEqual(await store.ackLeases(mailbox, [held], start), [true]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("what was leased through a deleted subscription can be confirmed by its number", async (store) => {
    const { message, mailbox, subscription, topic, seqs } = await fill(
      store,
      1,
    );
    await lease(store, mailbox);
    const { id } = subscription;
    await store.deleteSubscription(projectId, topic.name, id, start);
    assert.equal(await store.confirmMessages(mailbox, seqs, true, start), 1);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("a topic that is deleted leaves nothing to fetch", async (store) => {
    const { message, mailbox, topic } = await fill(store, 1);
    await store.deleteTopic(projectId, topic.name, start);
    await cancelWithdrawn(store);
    assert.deepEqual(await countsOf(store, message), { cancelled: 1 });
    assert.equal(await depthOf(store, mailbox), 0);
    assert.deepEqual(await lease(store, mailbox), []);
  });

  testStreams({ test });
  testNotipy({ test });
  testLatest({ test });
  testWatching({ test });
  testOutcomes({ test });
  testClockBack({ test });
}

type Test = Pick<Cases, "test">;

function testStreams({ test }: Test): void {
  test("events of a stream have ids that grow from stream to stream", async (store) => {
    const { mailbox } = await fill(store, 5);
    const stream = await store.openStream(mailbox);
    const eventIds = (leases: readonly MessageLease[]) =>
      leases.map(({ eventId }) => eventId);
    const first = await lease(store, mailbox, { limit: 2, stream });
    assert.deepEqual(eventIds(first), [stream + 1, stream + 2]);
    const second = await lease(store, mailbox, {
      limit: 2,
      stream: stream + 2,
    });
    assert.deepEqual(eventIds(second), [stream + 3, stream + 4]);
    const next = await store.openStream(mailbox);
    assert.equal(next, stream + maxEventsOfStream);
    const [plain] = await lease(store, mailbox);
    assert.equal(plain?.eventId, undefined);
    const { mailbox: other } = await fill(store, 1);
    assert.equal(await store.openStream(other), stream);
  });

  test("a stream that resumes gets what the one before may have lost, in order", async (store) => {
    const { mailbox, seqs } = await fill(store, 6);
    const stream = await store.openStream(mailbox);
    await lease(store, mailbox, { limit: 4, stream });
    const [byPoll] = await lease(store, mailbox, { limit: 1 });
    assert.ok(byPoll);
    const next = await store.openStream(mailbox);
    const resume = (after: number, limit: number, atMs = 1) =>
      store.resumeStream(
        { mailbox, limit, leaseMs: 60_000, stream: next },
        after,
        toEpochMs(start + atMs),
        maxDeliveries,
      );
    const resumed = await resume(stream + 1, 2);
    assert.deepEqual(seqsOf(resumed), seqs.slice(1, 3));
    assert.deepEqual(
      resumed.map((it) => [it.eventId, it.deliveryCount, it.until, it.fence]),
      [
        [next + 1, 2, after(60_001), 2],
        [next + 2, 2, after(60_001), 2],
      ],
    );
    // Those are of another stream now; the one that found no room is left.
    const [rest, ...others] = await store.resumeStream(
      { mailbox, limit: 9, leaseMs: 60_000, stream: next + 2 },
      stream + 1,
      after(2),
      maxDeliveries,
    );
    assert.deepEqual(others, []);
    assert.equal(rest?.messageSeq, seqs[3]);
    assert.equal(rest?.eventId, next + 3);
    assert.deepEqual(await resume(stream, 9, 60_000), []);
  });

  test("what a stream handed over counts for the new one only", async (store) => {
    const { mailbox } = await fill(store, 1);
    const stream = await store.openStream(mailbox);
    const [held] = await lease(store, mailbox, { stream });
    assert.ok(held);
    const next = await store.openStream(mailbox);
    const request = { mailbox, limit: 9, leaseMs: 1000, stream: next };
    const resume = (from: number, atMs: number) =>
      store.resumeStream(request, from, after(atMs), maxDeliveries);
    const [resumed] = await resume(stream, 1);
    assert.ok(resumed);
    assert.deepEqual(
      await store.ackLeases(mailbox, [held, resumed], after(2)),
      [false, true],
    );
    // What was confirmed is resumed by nobody.
    assert.deepEqual(await resume(next, 2), []);
  });

  test("a stream that breaks off each time has it as often as may be", async (store) => {
    const { mailbox } = await fill(store, 1);
    let stream = await store.openStream(mailbox);
    await lease(store, mailbox, { stream, leaseMs: 1000 });
    const resume = async (atMs: number) => {
      const from = stream;
      stream = await store.openStream(mailbox);
      const request = { mailbox, limit: 9, leaseMs: 1000, stream };
      return await store.resumeStream(request, from, after(atMs), 3);
    };
    for (const count of [2, 3]) {
      const [resumed] = await resume(count);
      assert.equal(resumed?.deliveryCount, count);
    }
    const last = stream;
    assert.deepEqual(await resume(4), []);
    stream = last;
    assert.deepEqual(await resume(5), []);
    assert.deepEqual(await store.endLeases(after(1002), 3, 9), {
      returned: 0,
      dead: 0,
      mayHaveMore: false,
    });
    const { dead } = await store.endLeases(after(1003), 3, 9);
    assert.equal(dead, 1);
  });
}

function testNotipy({ test }: Test): void {
  const request = {
    limit: 100,
    leaseMs: 60_000,
    confirmWindowMs: 9000,
    legacyConfirm: "auto",
  } as const;

  test("a GET within the window confirms the oldest, and renews the others", async (store) => {
    const { mailbox, seqs } = await fill(store, 3);
    const get = async (atMs: number) =>
      seqsOf(
        await store.receiveLegacy(
          { ...request, mailbox },
          after(atMs),
          maxDeliveries,
        ),
      );
    assert.deepEqual(await get(0), seqs);
    assert.deepEqual(await get(8999), []);
    assert.deepEqual(await store.countMailboxMessages(mailbox), {
      waiting: 0,
      leased: 2,
      dead: 0,
    });
    assert.equal(await store.nextLeaseEnd(), after(68_999));
    assert.deepEqual(await get(9000), []);
    assert.deepEqual(await get(9001), []);
    // Nothing is leased any more: it is a poll.
    assert.deepEqual(await get(9002), []);
    assert.equal(await depthOf(store, mailbox), 0);
  });

  test("a GET after the window polls, and leaves what is leased", async (store) => {
    const { mailbox, seqs, topic, subscription } = await fill(store, 1);
    const get = async (atMs: number) =>
      seqsOf(
        await store.receiveLegacy(
          { ...request, mailbox },
          after(atMs),
          maxDeliveries,
        ),
      );
    assert.deepEqual(await get(0), seqs);
    assert.deepEqual(await get(9000), []);
    const { seq } = await publishTo(store, topic, [subscription]);
    assert.deepEqual(await get(18_000), [seq]);
    assert.deepEqual(await get(60_000), seqs);
    // Both leases are over: both come again, in order.
    assert.deepEqual(await get(120_001), [...seqs, seq]);
  });

  test("a renewal shortens no lease", async (store) => {
    const { mailbox: other, seqs } = await fill(store, 2);
    const leases = await lease(store, other, { leaseMs: 900_000 });
    assert.deepEqual(seqsOf(leases), seqs);
    const get = { ...request, mailbox: other };
    await store.receiveLegacy(get, after(1), maxDeliveries);
    await store.receiveLegacy(get, after(2), maxDeliveries);
    const ack = await store.ackLeases(other, leases, after(899_999));
    // The GET confirmed the first one, and left the other its lease.
    assert.deepEqual(ack, [true, true]);
  });

  test("a GET is a poll to those who may not confirm by it", async (store) => {
    const { mailbox, seqs, topic, subscription } = await fill(store, 1);
    const get = { ...request, mailbox, legacyConfirm: "off" } as const;
    await store.receiveLegacy(get, start, maxDeliveries);
    const { seq } = await publishTo(store, topic, [subscription]);
    const leases = await store.receiveLegacy(get, after(1), maxDeliveries);
    assert.deepEqual(seqsOf(leases), [seq]);
    assert.equal(seqs.length, 1);
    assert.equal(await depthOf(store, mailbox), 2);
  });

  test("the first PUT makes every GET a poll", async (store) => {
    const filled = await fill(store, 3);
    const { mailbox, seqs, message, subscription } = filled;
    const get = { ...request, mailbox };
    await store.receiveLegacy({ ...get, limit: 2 }, start, maxDeliveries);
    const [a = 0, b = 0, c = 0] = seqs;
    const put = (numbers: number[], isSuccess: boolean) =>
      store.confirmMessages(mailbox, numbers, isSuccess, after(1));
    // Leased or waiting; unknown ones and repeats are passed over.
    assert.equal(await put([a, c, a, 999], true), 2);
    assert.equal(await put([a, c], true), 0);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const { endpoint } = subscription;
    const found = await store.findMailbox(projectId, endpoint);
    assert.equal(found?.confirmsById, true);
    const again = await store.receiveLegacy(get, after(2), maxDeliveries);
    assert.deepEqual(again, []);
    assert.equal(await put([b], false), 1);
    const leases = await store.receiveLegacy(get, after(3), maxDeliveries);
    assert.deepEqual(seqsOf(leases), [b]);
    assert.equal(leases[0]?.deliveryCount, 2);
  });

  test("a PUT reaches what is leased, delayed or held back, once it is unsubscribed too", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const seqs: number[] = [];
    for (const orderingKey of [undefined, undefined, "k", "k"]) {
      const options = orderingKey === undefined ? {} : { orderingKey };
      seqs.push((await publishTo(store, topic, [it], options)).seq);
    }
    const [, delayed, , heldBack = 0] = seqs;
    const leases = await lease(store, it.mailbox);
    const nacked = leases.find(({ messageSeq }) => messageSeq === delayed);
    assert.ok(nacked);
    await nack(store, it.mailbox, nacked, { delayMs: 5000 });
    const put = (numbers: readonly number[]) =>
      store.confirmMessages(it.mailbox, numbers, true, start);
    assert.equal(await put([delayed ?? 0, heldBack]), 2);
    await store.deleteSubscription(projectId, topic.name, it.id, start);
    assert.equal(await put(seqs), 2);
    assert.equal(await depthOf(store, it.mailbox), 0);
  });

  test("a GET confirms after a PUT, too, where that is configured", async (store) => {
    const { mailbox, seqs } = await fill(store, 3);
    const [first = 0, ...others] = seqs;
    const get = { ...request, mailbox, legacyConfirm: "on" } as const;
    await store.confirmMessages(mailbox, [first], true, start);
    const leases = await store.receiveLegacy(get, start, maxDeliveries);
    assert.deepEqual(seqsOf(leases), others);
    await store.receiveLegacy(get, after(1), maxDeliveries);
    assert.equal(await depthOf(store, mailbox), 1);
    const auto = { ...get, legacyConfirm: "auto" } as const;
    await store.receiveLegacy(auto, after(2), maxDeliveries);
    assert.equal(await depthOf(store, mailbox), 1);
  });

  test("what a handler always refuses ends in the dead letters", async (store) => {
    const { mailbox, seqs } = await fill(store, 1);
    for (let n = 0; n < 3; n++) {
      const leases = await store.receiveLegacy(
        { ...request, mailbox },
        after(n),
        3,
      );
      assert.equal(leases.length, 1);
      assert.equal(
        await store.confirmMessages(mailbox, seqs, false, after(n)),
        1,
      );
    }
    const get = { ...request, mailbox };
    assert.deepEqual(await store.receiveLegacy(get, after(9), 3), []);
    const [dead] = await store.listDeadMessages(mailbox, { limit: 9 });
    assert.equal(dead?.deliveryCount, 3);
  });
}

function testLatest({ test }: Test): void {
  const lives = { pull: 3600 };

  test("who subscribes with the latest message gets it at once", async (store) => {
    const topic = await addTopic(store);
    await store.acceptMessage(messageTo(topic), undefined);
    const { seq } = await store.acceptMessage(
      messageTo(topic, { orderingKey: "k" }),
      undefined,
    );
    await store.acceptMessage(messageTo(await addTopic(store)), undefined);
    const without = await subscribeMailbox(store, topic);
    assert.deepEqual(await lease(store, without.mailbox), []);
    const subscribe = () =>
      subscribeMailbox(store, topic, { name: "till" }, { withLatest: lives });
    const it = await subscribe();
    assert.equal(await depthOf(store, it.mailbox), 1);
    const leases = await lease(store, it.mailbox);
    assert.deepEqual(seqsOf(leases), [seq]);
    await store.ackLeases(it.mailbox, leases, start);
    // Subscribed already: nothing comes again.
    assert.equal((await subscribe()).seq, it.seq);
    assert.deepEqual(await lease(store, it.mailbox), []);
  });

  test("the latest message still lives, has begun and was not cancelled", async (store, clock) => {
    const topic = await addTopic(store);
    const subscribe = async () => {
      const it = await subscribeMailbox(
        store,
        topic,
        {},
        { withLatest: lives },
      );
      return seqsOf(await lease(store, it.mailbox));
    };
    assert.deepEqual(await subscribe(), []);
    const { seq } = await store.acceptMessage(messageTo(topic), undefined);
    await store.acceptMessage(
      messageTo(topic, { notBefore: after(5000) }),
      undefined,
    );
    assert.deepEqual(await subscribe(), [seq]);
    const event = { kind: "event", text: "{}" } as const;
    await store.acceptMessage(messageTo(topic, { content: event }), undefined);
    assert.deepEqual(await subscribe(), [seq]);
    clock.advance(3_600_000);
    const ended = await subscribe();
    assert.deepEqual(ended.includes(seq), false);
  });

  test("the latest message comes once to a mailbox, by whatever topic", async (store) => {
    const topic = await addTopic(store);
    const second = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { name: "till" });
    const { topic: a } = messageTo(topic);
    const { topic: b } = messageTo(second);
    assert.ok(a && b);
    const { topic: _, ...rest } = messageTo(topic, { audience: "topics" });
    const { seq } = await store.acceptMessage(
      { ...rest, topics: [a, b] },
      undefined,
    );
    const [claimed] = await claimRanges(store, leaseOf("a"), 1);
    assert.ok(claimed);
    const outcomes = [toFetch(seq, it)];
    await store.finish({ range: claimed.range, outcomes });
    const same = { name: "till" };
    await subscribeMailbox(store, second, same, { withLatest: lives });
    assert.equal(await depthOf(store, it.mailbox), 1);
    const other = await subscribeMailbox(
      store,
      second,
      {},
      { withLatest: lives },
    );
    assert.deepEqual(seqsOf(await lease(store, other.mailbox)), [seq]);
  });

  test("a full mailbox takes no latest message", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic, { name: "till", quota: 1 });
    await publishTo(store, topic, [it]);
    const second = await addTopic(store);
    const latest = messageTo(second);
    await store.acceptMessage(latest, undefined);
    const same = { name: "till" };
    await subscribeMailbox(store, second, same, { withLatest: lives });
    const report = await store.findMessage(projectId, latest.id);
    assert.deepEqual(report?.counts, { failed: 1 });
    assert.equal(report.unqueued, 1);
    assert.equal(await depthOf(store, it.mailbox), 1);
  });
}

function testWatching({ test }: Test): void {
  test("tells in which mailboxes there is something to lease", async (store) => {
    const topic = await addTopic(store);
    const a = await subscribeMailbox(store, topic);
    const b = await subscribeMailbox(store, topic);
    const told = watch(store);
    await publishTo(store, topic, [a, b]);
    assert.deepEqual(await told.take(), [a.mailbox, b.mailbox]);
    const [held] = await lease(store, a.mailbox);
    assert.ok(held);
    assert.deepEqual(await told.take(), []);
    await nack(store, a.mailbox, held);
    assert.deepEqual(await told.take(), [a.mailbox]);
    const [again] = await lease(store, a.mailbox, { leaseMs: 1000 });
    assert.ok(again);
    await nack(store, a.mailbox, again, { delayMs: 5000 });
    assert.deepEqual(await told.take(), []);
    await store.endLeases(after(5000), maxDeliveries, 9);
    assert.deepEqual(await told.take(), [a.mailbox]);
    const [third] = await lease(store, a.mailbox, { atMs: 5000 });
    assert.ok(third);
    await store.returnLeases(a.mailbox, [third], after(5001));
    assert.deepEqual(await told.take(), [a.mailbox]);
    const fourth = await lease(store, a.mailbox, { atMs: 5002 });
    await store.ackLeases(a.mailbox, fourth, after(5003));
    assert.deepEqual(await told.take(), []);
    told.stop();
    await publishTo(store, topic, [a, b]);
    assert.deepEqual(await told.take(), []);
  });

  test("tells of what an ordering key held back", async (store) => {
    const topic = await addTopic(store);
    const it = await subscribeMailbox(store, topic);
    const options = { orderingKey: "k", lifeMs: 100_000 };
    for (let n = 0; n < 5; n++) await publishTo(store, topic, [it], options);
    const told = watch(store);
    const fetch = () => lease(store, it.mailbox);
    await store.ackLeases(it.mailbox, await fetch(), start);
    assert.deepEqual(await told.take(), [it.mailbox]);
    const [second] = await fetch();
    assert.ok(second);
    await nack(store, it.mailbox, second, { maxDeliveries: 1 });
    assert.deepEqual(await told.take(), [it.mailbox]);
    const [third] = await fetch();
    assert.ok(third);
    await store.confirmMessages(it.mailbox, [third.messageSeq], true, start);
    assert.deepEqual(await told.take(), [it.mailbox]);
    const redriven = { messageSeqs: [second.messageSeq] };
    await store.redriveMessages(it.mailbox, redriven, after(9e6), start);
    assert.deepEqual(await told.take(), [it.mailbox]);
    const [again] = await fetch();
    assert.equal(again?.messageSeq, second.messageSeq);
    await nack(store, it.mailbox, again, { delayMs: 5000 });
    assert.deepEqual(await told.take(), []);
  });

  test("tells of a latest message", async (store) => {
    const topic = await addTopic(store);
    await store.acceptMessage(messageTo(topic), undefined);
    const told = watch(store);
    const withLatest = { pull: 3600 };
    const it = await subscribeMailbox(store, topic, {}, { withLatest });
    assert.deepEqual(await told.take(), [it.mailbox]);
  });
}

function testOutcomes({ test }: Test): void {
  test("tells what came of messages, whatever operation it was, each once", async (store) => {
    const { mailbox, seqs, topic } = await fill(store, 8, { lifeMs: 500_000 });
    const told: QueueOutcomes[] = [];
    const stop = store.watchOutcomes((outcomes) => told.push(outcomes));
    const [acked, refused, ended, endedLater, got, put, delayedSeq, last] =
      seqs;
    const take = async () => {
      await setImmediate();
      const settled = told.flatMap((it) => it.settled);
      const returned = told.reduce((sum, it) => sum + it.returned, 0);
      told.length = 0;
      const topics = new Set(settled.map(({ topicSeq }) => topicSeq));
      if (settled.length > 0) assert.deepEqual([...topics], [topic.seq]);
      const ends = settled.map(({ messageSeq, state }) => [messageSeq, state]);
      return [ends, returned];
    };
    const leases = await lease(store, mailbox, { limit: 2 });
    await store.ackLeases(mailbox, leases.slice(0, 1), start);
    // It was acked already, which is told once.
    await store.ackLeases(mailbox, leases.slice(0, 1), start);
    assert.deepEqual(await take(), [[[acked, "delivered"]], 0]);
    const nacked = { delayMs: 0, maxDeliveries: 1 };
    await store.nackLeases(mailbox, leases.slice(1), nacked, start);
    assert.deepEqual(await take(), [[[refused, "failed"]], 0]);
    await lease(store, mailbox, { limit: 2, leaseMs: 1000 });
    assert.deepEqual(await take(), [[], 0]);
    // They end inside of other operations.
    await lease(store, mailbox, { limit: 2, atMs: 1000 });
    assert.deepEqual(await take(), [[], 2]);
    const get = {
      mailbox,
      limit: 1,
      leaseMs: 1000,
      confirmWindowMs: 9000,
      legacyConfirm: "on",
    } as const;
    const dead = [
      [ended, "failed"],
      [endedLater, "failed"],
    ];
    await store.receiveLegacy(get, after(61_000), 2);
    assert.deepEqual(await take(), [dead, 0]);
    await store.receiveLegacy(get, after(61_001), 2);
    assert.deepEqual(await take(), [[[got, "delivered"]], 0]);
    await store.confirmMessages(mailbox, [put ?? 0, 999], true, after(61_002));
    assert.deepEqual(await take(), [[[put, "delivered"]], 0]);
    // A delay that is over is no lease that was.
    const one = await lease(store, mailbox, { limit: 1, atMs: 61_003 });
    assert.deepEqual(seqsOf(one), [delayedSeq]);
    const delayed = { delayMs: 1000, maxDeliveries };
    await store.nackLeases(mailbox, one, delayed, after(61_003));
    await store.endLeases(after(63_000), maxDeliveries, 9);
    assert.deepEqual(await take(), [[], 0]);
    await store.expireMessages(after(500_000), 1);
    const [[first]] = (await take()) as [[number, string][], number];
    assert.ok(first?.[0] === delayedSeq || first?.[0] === last);
    assert.equal(first?.[1], "expired");
    stop();
    await store.expireMessages(after(500_000), 1);
    assert.deepEqual(await take(), [[], 0]);
  });

  test("tells nothing of what is cancelled", async (store) => {
    const { subscription } = await fill(store, 1);
    const told: QueueOutcomes[] = [];
    store.watchOutcomes((outcomes) => told.push(outcomes));
    await store.deleteMailbox(projectId, subscription.endpoint, start);
    await cancelWithdrawn(store);
    await setImmediate();
    assert.deepEqual(told, []);
  });
}

function testClockBack({ test }: Test): void {
  test("keeps leases when engines are gone", async (store, clock) => {
    const { message, mailbox } = await fill(store, 1);
    const [held] = await lease(store, mailbox);
    assert.ok(held);
    clock.advance(30_000);
    assert.deepEqual(await store.reclaimAll(), { freed: 0, interrupted: 0 });
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    assert.equal(await store.nextLeaseEnd(), after(60_000));
    const ack = await store.ackLeases(mailbox, [held], after(30_000));
    assert.deepEqual(ack, [true]);
  });

  test("leases that began when the clock was ahead are no longer for it", async (store, clock) => {
    const { mailbox } = await fill(store, 3, { lifeMs: 9e8 });
    const ahead = 8e8;
    const [first, second] = await lease(store, mailbox, {
      limit: 2,
      atMs: ahead,
      leaseMs: 5000,
    });
    assert.ok(first && second);
    const extendedAt = after(ahead + 4000);
    await store.extendLeases(mailbox, [first], 9000, extendedAt);
    await nack(store, mailbox, second, { delayMs: 2000 }, ahead);
    await store.reclaimAll();
    assert.ok(clock.now() < after(1000));
    assert.equal(await store.nextLeaseEnd(), toEpochMs(clock.now() + 2000));
    const now = toEpochMs(clock.now() + 8999);
    assert.deepEqual(await store.ackLeases(mailbox, [first], now), [true]);
    assert.equal(await store.nextLeaseEnd(), toEpochMs(clock.now() + 2000));
  });
}

/** A subscribed mailbox with so many messages in it. */
async function fill(
  store: Store,
  count: number,
  options: { lifeMs?: number } = {},
  name?: string,
) {
  const topic = await addTopic(store);
  const subscription = await subscribeMailbox(
    store,
    topic,
    name === undefined ? {} : { name },
  );
  const seqs: number[] = [];
  let message = messageTo(topic);
  for (let n = 0; n < count; n++) {
    const published = await publishTo(store, topic, [subscription], options);
    seqs.push(published.seq);
    ({ message } = published);
  }
  const { mailbox } = subscription;
  return { topic, subscription, mailbox, seqs, message };
}

function nack(
  store: Store,
  mailbox: number,
  key: MessageLease,
  options: { delayMs?: number; maxDeliveries?: number } = {},
  atMs = 0,
) {
  const all = { delayMs: 0, maxDeliveries, ...options };
  return store.nackLeases(mailbox, [key], all, after(atMs));
}

async function depthOf(store: Store, mailbox: number): Promise<number> {
  const { waiting, leased } = await store.countMailboxMessages(mailbox);
  return waiting + leased;
}

/** What is told from now on; to be taken piece by piece. */
function watch(store: Store) {
  let told: number[] = [];
  const stop = store.watchMailboxes((mailboxes) => told.push(...mailboxes));
  return {
    stop,
    /** Those told since, each once. */
    async take(): Promise<number[]> {
      await setImmediate();
      const taken = [...new Set(told)].sort((a, b) => a - b);
      told = [];
      return taken;
    },
  };
}
