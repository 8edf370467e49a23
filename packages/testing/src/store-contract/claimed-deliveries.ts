import assert from "node:assert/strict";
import {
  type Attempt,
  type Lease,
  type SubscriberNotice,
  subscriptionStatus,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  after,
  claimDue,
  claimOne,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  leaseOf,
  mailOf,
  messageTo,
  newSubscription,
  nextDueAt,
  noQuota,
  phones,
  projectId,
  recordOutcomes,
  rotated,
  start,
  statesOf,
  underWay,
} from "./fixtures.ts";

export function testClaimedDeliveries({ test }: Cases): void {
  test("has the deliveries of a direct message due at once", async (store, clock) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2));
    assert.equal(await nextDueAt(store, clock), start);
    const claimed = await claimDue(store, clock, leaseOf("a"), start, 9);
    assert.deepEqual(
      claimed,
      phones(2).map(({ protocol, endpoint }, target) => ({
        messageSeq: seq,
        recipient: { target, protocol, endpoint },
        state: "waiting",
        attempts: 0,
        fence: 1,
      })),
    );
  });

  test("claims a confirmation as its subscription is added, as if it had been due", async (store, clock) => {
    const topic = await addTopic(store);
    const add = (lease?: Lease, mail: Partial<SubscriberNotice> = {}) =>
      store.addSubscription(
        newSubscription(topic, {
          status: subscriptionStatus.unconfirmed,
          extension: { header: { "x-key": "1" } },
          signature: rotated,
        }),
        { ...mailOf(topic, "confirmation"), ...mail },
        noQuota,
        lease,
      );
    const { claimed, subscription } = await add(leaseOf("a"), { byCode: true });
    assert.ok(claimed);
    assert.deepEqual(await claimDue(store, clock, leaseOf("b"), start, 9), []);
    const { message, delivery } = claimed;
    assert.deepEqual(await statesOf(store, message.seq), ["sending"]);
    assert.deepEqual(await store.findMessageBySeq(message.seq), message);
    assert.ok("grant" in message.content && "byCode" in message.content);
    assert.equal(subscription.codeExpiresAt, after(1000));

    const { subscription: other } = await add();
    const [due] = await claimDue(store, clock, leaseOf("b"), start, 9);
    assert.equal(due?.recipient.target, other.seq);
    const { endpoint, id } = subscription;
    assert.deepEqual(delivery, {
      ...due,
      messageSeq: message.seq,
      recipient: {
        ...due.recipient,
        target: subscription.seq,
        endpoint,
        subscriptionId: id,
      },
    });

    const outcome = { ...delivered(message.seq, subscription.seq), fence: 1 };
    assert.deepEqual(await recordOutcomes(store, [outcome]), []);
    assert.deepEqual(await statesOf(store, message.seq), ["delivered"]);
    const { counts } = (await store.findMessage(projectId, message.id)) ?? {};
    assert.deepEqual(counts, { delivered: 1 });
  });

  test("claims no confirmation that is not sent", async (store) => {
    const topic = await addTopic(store);
    const { endpoint } = await addSubscription(store, topic);
    const again = await store.addSubscription(
      newSubscription(topic, { endpoint }),
      mailOf(topic, "confirmation"),
      noQuota,
      leaseOf("a"),
    );
    assert.equal(again.claimed, undefined);
  });

  test("frees a confirmation that was claimed when its lease ends", async (store, clock) => {
    const topic = await addTopic(store);
    for (const billable of [false, true]) {
      const { claimed } = await store.addSubscription(
        newSubscription(topic, { status: subscriptionStatus.unconfirmed }),
        { ...mailOf(topic, "confirmation"), billable },
        noQuota,
        leaseOf("a", 10),
      );
      clock.advance(10);
      const reclaimed = await store.reclaim();
      assert.deepEqual(reclaimed, { freed: 1, interrupted: 0 });
      const now = clock.now();
      const [again] = await claimDue(store, clock, leaseOf("b"), now, 9);
      const { messageSeq, fence = 0, attempts } = again ?? {};
      assert.equal(messageSeq, claimed?.message.seq);
      assert.equal(attempts, 0);
      assert.ok(fence > 1);
    }
  });

  test("shows what is claimed as being sent", async (store, clock) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2));
    await claimDue(store, clock, leaseOf("a", 10), start, 1);
    assert.deepEqual(await countsOf(store, message), {
      sending: 1,
      waiting: 1,
    });
    assert.deepEqual((await statesOf(store, seq)).sort(), [
      "sending",
      "waiting",
    ]);
  });

  test("claims what is due longest first, as many as asked for", async (store, clock) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    await fanOut(store, topic, (seq) => [
      delivered(seq, a.seq, { state: "retrying", nextAttemptAt: after(3) }),
      delivered(seq, b.seq, { state: "retrying", nextAttemptAt: after(1) }),
      delivered(seq, c.seq, { state: "retrying", nextAttemptAt: after(2) }),
    ]);
    const claim = async (limit: number) =>
      (await claimDue(store, clock, leaseOf("a"), after(3), limit)).map(
        ({ recipient }) => recipient.target,
      );
    assert.deepEqual(await claim(2), [b.seq, c.seq]);
    assert.deepEqual(await claim(2), [a.seq]);
  });

  test("hands over what is known of a claimed delivery", async (store, clock) => {
    const topic = await addTopic(store);
    const { seq, id, endpoint } = await addSubscription(store, topic, {
      extension: { header: { "x-key": "1" } },
      signature: rotated,
    });
    const lastAttempt = failedAttempt(0);
    const messageSeq = await fanOut(store, topic, (message) => [
      delivered(message, seq, {
        state: "retrying",
        attempts: 1,
        lastAttempt,
        nextAttemptAt: start,
      }),
    ]);
    assert.deepEqual(await claimDue(store, clock, leaseOf("a"), start, 9), [
      {
        messageSeq,
        recipient: {
          target: seq,
          protocol: "https",
          endpoint,
          subscriptionId: id,
          generation: 0,
          extension: { header: { "x-key": "1" } },
          signature: rotated,
        },
        state: "retrying",
        attempts: 1,
        lastAttempt,
        fence: 1,
      },
    ]);
  });

  test("writes the outcome of a claim", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock);
    await recordOutcomes(store, [
      {
        ...delivered(claim.messageSeq, 0, { state: "sent" }),
        parts: [{ externalId: "x1" }],
        provider: "loopback",
        segments: 2,
        fence: claim.fence,
      },
    ]);
    assert.deepEqual(await countsOf(store, message), { sent: 1 });
    const delivery = await store.findDelivery(claim.messageSeq, 0);
    assert.equal(delivery?.externalId, "x1");
    assert.equal(delivery?.segments, 2);
    assert.equal(delivery?.nextAttemptAt, undefined);
    assert.equal(await nextDueAt(store, clock), undefined);
  });

  test("leaves out outcomes of a claim or a delivery that is not there", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock);
    const { messageSeq, fence } = claim;
    await recordOutcomes(store, [
      { ...delivered(messageSeq, 0), fence: fence + 1 },
      { ...delivered(messageSeq, 0), fence: fence - 1 },
      { ...delivered(messageSeq, 99), fence: 0 },
    ]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    assert.equal(await store.findDelivery(messageSeq, 99), undefined);
  });

  test("keeps every attempt, oldest first", async (store, clock) => {
    const { claim } = await claimOne(store, clock);
    const attempts = [0, 1, 2].map((n) => failedAttempt(n));
    let { fence } = claim;
    for (const [n, lastAttempt] of attempts.entries()) {
      const previousAttempt = attempts[n - 1];
      await recordOutcomes(store, [
        {
          messageSeq: claim.messageSeq,
          target: 0,
          state: "retrying",
          attempts: n + 1,
          lastAttempt,
          ...(previousAttempt && { previousAttempt }),
          nextAttemptAt: start,
          fence,
        },
      ]);
      const [next] = await claimDue(store, clock, leaseOf("a"), start, 1);
      assert.deepEqual(next?.lastAttempt, lastAttempt);
      fence = next?.fence ?? 0;
    }
    const delivery = await store.findDelivery(claim.messageSeq, 0);
    assert.equal(delivery?.attemptCount, 3);
    assert.deepEqual(delivery?.attempts, attempts);
  });

  test("keeps what an outcome says nothing of", async (store, clock) => {
    const { claim } = await claimOne(store, clock);
    const lastAttempt = failedAttempt(0);
    await recordOutcomes(store, [
      {
        messageSeq: claim.messageSeq,
        target: 0,
        state: "retrying",
        attempts: 1,
        lastAttempt,
        parts: [{ externalId: "x1" }],
        provider: "loopback",
        segments: 3,
        nextAttemptAt: start,
        fence: claim.fence,
      },
    ]);
    const [again] = await claimDue(store, clock, leaseOf("a"), start, 1);
    await recordOutcomes(store, [
      {
        messageSeq: claim.messageSeq,
        target: 0,
        state: "expired",
        attempts: 1,
        fence: again?.fence ?? 0,
      },
    ]);
    const delivery = await store.findDelivery(claim.messageSeq, 0);
    assert.equal(delivery?.state, "expired");
    assert.deepEqual(delivery?.attempts, [lastAttempt]);
    assert.equal(delivery?.externalId, "x1");
    assert.equal(delivery?.provider, "loopback");
    assert.equal(delivery?.segments, 3);
  });

  test("takes the late outcome of an attempt that its range left under way", async (store, clock) => {
    const topic = await addTopic(store);
    const { seq } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const messageSeq = await fanOut(
      store,
      topic,
      (it) => [underWay(it, seq, leaseOf("a"))],
      message,
    );
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("b"), after(1e9), 9),
      [],
    );
    await recordOutcomes(store, [{ ...delivered(messageSeq, seq), fence: 1 }]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    await recordOutcomes(store, [{ ...delivered(messageSeq, seq), fence: 0 }]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    assert.equal(await nextDueAt(store, clock), undefined);
  });

  test("cancels instead of sending to who is not subscribed any more", async (store, clock) => {
    const topic = await addTopic(store);
    const [gone, left, back, stays] = await addSubscriptions(store, topic, 4);
    assert.ok(gone && left && back && stays);
    const message = messageTo(topic);
    await fanOut(
      store,
      topic,
      (seq) =>
        [gone, left, back, stays].map((it) =>
          delivered(seq, it.seq, {
            state: "retrying",
            nextAttemptAt: after(it.seq),
          }),
        ),
      message,
    );
    await store.deleteSubscription(projectId, topic.name, gone.id, start);
    const unsubscribeNotice = () => {
      const mail = mailOf(topic, "unsubscription");
      const createdAt = after(1e6);
      return { ...mail, message: { ...mail.message, createdAt } };
    };
    await store.cancelSubscription(left.id, unsubscribeNotice);
    await store.cancelSubscription(back.id, unsubscribeNotice);
    await store.confirmSubscription(back.id, 1);
    const claimed = await claimDue(store, clock, leaseOf("a"), after(1e5), 2);
    assert.deepEqual(
      claimed.map(({ recipient }) => recipient.target),
      [back.seq, stays.seq],
    );
    assert.deepEqual(await countsOf(store, message), {
      cancelled: 2,
      sending: 2,
    });
  });

  test("sends confirmations to the unconfirmed and unsubscribe notices to who left", async (store, clock) => {
    const topic = await addTopic(store);
    const unconfirmed = await addUnconfirmed(store, topic);
    const left = await addSubscription(store, topic);
    const gone = await addUnconfirmed(store, topic);
    await store.cancelSubscription(left.id, () =>
      mailOf(topic, "unsubscription"),
    );
    await store.deleteSubscription(projectId, topic.name, gone.id, start);
    const claimed = await claimDue(store, clock, leaseOf("a"), start, 9);
    assert.deepEqual(
      claimed.map(({ recipient }) => recipient.target).sort(),
      [unconfirmed.seq, left.seq].sort(),
    );
  });

  test("gives a delivery back as it was, to be claimed later", async (store, clock) => {
    const { message, claim } = await claimOne(store, clock);
    await store.release([{ delivery: claim }], { delayMs: 10 });
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    assert.equal(await nextDueAt(store, clock), after(10));
    const late = { ...delivered(claim.messageSeq, 0), fence: claim.fence };
    await recordOutcomes(store, [late]);
    assert.deepEqual(await countsOf(store, message), { waiting: 1 });
    const [again] = await claimDue(store, clock, leaseOf("b"), after(10), 9);
    assert.ok(again && again.fence > claim.fence);
    assert.equal(again.attempts, 0);
    // Whoever gave it back has nothing to give any more.
    await store.release([{ delivery: claim }]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    const { messageSeq, fence } = again;
    const retrying = delivered(messageSeq, 0, { state: "retrying" });
    const nextAttemptAt = after(20);
    await recordOutcomes(store, [{ ...retrying, nextAttemptAt, fence }]);
    const [third] = await claimDue(store, clock, leaseOf("a"), after(20), 9);
    assert.ok(third);
    await store.release([{ delivery: third }]);
    assert.deepEqual(await countsOf(store, message), { retrying: 1 });
    assert.equal(await nextDueAt(store, clock), after(20));
  });

  test("claims both kinds with one call", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    await store.acceptMessage(messageTo(topic), undefined);
    await store.acceptDirectMessage(directMessage(), phones(2));
    const { ranges, deliveries, mayHaveMore } = await store.claim(
      leaseOf("a"),
      { kinds: ["range", "delivery"], limit: 3 },
    );
    assert.deepEqual([ranges.length, deliveries.length], [1, 2]);
    assert.equal(mayHaveMore, false);
  });

  test("knows when the next delivery falls due", async (store, clock) => {
    assert.equal(await nextDueAt(store, clock), undefined);
    for (const notBefore of [after(20), after(10)]) {
      const message = directMessage({ notBefore });
      await store.acceptDirectMessage(message, phones(1, true));
    }
    assert.equal(await nextDueAt(store, clock), after(10));
    await claimDue(store, clock, leaseOf("a"), after(10), 9);
    assert.equal(await nextDueAt(store, clock), after(20));
    await claimDue(store, clock, leaseOf("a"), after(20), 9);
    assert.equal(await nextDueAt(store, clock), undefined);
  });
}

function failedAttempt(ms: number): Attempt {
  return {
    at: after(ms),
    durationMs: 30,
    statusCode: 503,
    errorClass: "http_status",
    error: "503 Service Unavailable",
  };
}
