import assert from "node:assert/strict";
import type { Attempt } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  after,
  claimOne,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  leaseOf,
  mailOf,
  messageTo,
  nextDueAt,
  phones,
  projectId,
  start,
  statesOf,
  underWay,
} from "./fixtures.ts";

export function testClaimedDeliveries({ test }: Cases): void {
  test("has the deliveries of a direct message due at once", async (store) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2));
    assert.equal(await nextDueAt(store), start);
    assert.deepEqual(await store.claimDue(leaseOf("a"), after(-1), 9), []);
    const claimed = await store.claimDue(leaseOf("a"), start, 9);
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

  test("shows what is claimed as being sent", async (store) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2));
    await store.claimDue(leaseOf("a", 10), start, 1);
    assert.deepEqual(await countsOf(store, message), {
      sending: 1,
      waiting: 1,
    });
    assert.deepEqual((await statesOf(store, seq)).sort(), [
      "sending",
      "waiting",
    ]);
  });

  test("claims what is due longest first, as many as asked for", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    await fanOut(store, topic, (seq) => [
      delivered(seq, a.seq, { state: "retrying", nextAttemptAt: after(3) }),
      delivered(seq, b.seq, { state: "retrying", nextAttemptAt: after(1) }),
      delivered(seq, c.seq, { state: "retrying", nextAttemptAt: after(2) }),
    ]);
    const claim = async (limit: number) =>
      (await store.claimDue(leaseOf("a"), after(3), limit)).map(
        ({ recipient }) => recipient.target,
      );
    assert.deepEqual(await claim(2), [b.seq, c.seq]);
    assert.deepEqual(await claim(2), [a.seq]);
  });

  test("hands over what is known of a claimed delivery", async (store) => {
    const topic = await addTopic(store);
    const { seq, id, endpoint } = await addSubscription(store, topic, {
      extension: { header: { "x-key": "1" } },
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
    assert.deepEqual(await store.claimDue(leaseOf("a"), start, 9), [
      {
        messageSeq,
        recipient: {
          target: seq,
          protocol: "https",
          endpoint,
          subscriptionId: id,
          extension: { header: { "x-key": "1" } },
        },
        state: "retrying",
        attempts: 1,
        lastAttempt,
        fence: 1,
      },
    ]);
  });

  test("writes the outcome of a claim", async (store) => {
    const { message, claim } = await claimOne(store);
    await store.recordOutcomes([
      {
        ...delivered(claim.messageSeq, 0, { state: "sent" }),
        externalId: "x1",
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
    assert.equal(await nextDueAt(store), undefined);
  });

  test("leaves out outcomes of a claim or a delivery that is not there", async (store) => {
    const { message, claim } = await claimOne(store);
    const { messageSeq, fence } = claim;
    await store.recordOutcomes([
      { ...delivered(messageSeq, 0), fence: fence + 1 },
      { ...delivered(messageSeq, 0), fence: fence - 1 },
      { ...delivered(messageSeq, 99), fence: 0 },
    ]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    assert.equal(await store.findDelivery(messageSeq, 99), undefined);
  });

  test("keeps every attempt, oldest first", async (store) => {
    const { claim } = await claimOne(store);
    const attempts = [0, 1, 2].map((n) => failedAttempt(n));
    let { fence } = claim;
    for (const [n, lastAttempt] of attempts.entries()) {
      const previousAttempt = attempts[n - 1];
      await store.recordOutcomes([
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
      const [next] = await store.claimDue(leaseOf("a"), start, 1);
      assert.deepEqual(next?.lastAttempt, lastAttempt);
      fence = next?.fence ?? 0;
    }
    const delivery = await store.findDelivery(claim.messageSeq, 0);
    assert.equal(delivery?.attemptCount, 3);
    assert.deepEqual(delivery?.attempts, attempts);
  });

  test("keeps what an outcome says nothing of", async (store) => {
    const { claim } = await claimOne(store);
    const lastAttempt = failedAttempt(0);
    await store.recordOutcomes([
      {
        messageSeq: claim.messageSeq,
        target: 0,
        state: "retrying",
        attempts: 1,
        lastAttempt,
        externalId: "x1",
        provider: "loopback",
        segments: 3,
        nextAttemptAt: start,
        fence: claim.fence,
      },
    ]);
    const [again] = await store.claimDue(leaseOf("a"), start, 1);
    await store.recordOutcomes([
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

  test("takes the late outcome of an attempt that its range left under way", async (store) => {
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
    assert.equal(await nextDueAt(store), undefined);
    assert.deepEqual(await store.claimDue(leaseOf("b"), after(1e9), 9), []);
    await store.recordOutcomes([{ ...delivered(messageSeq, seq), fence: 1 }]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    await store.recordOutcomes([{ ...delivered(messageSeq, seq), fence: 0 }]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    assert.equal(await nextDueAt(store), undefined);
  });

  test("cancels instead of sending to who is not subscribed any more", async (store) => {
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
    const unsubscribeNotice = (token: string) => () => {
      const mail = mailOf(topic, "unsubscription", token);
      const createdAt = after(1e6);
      return { ...mail, message: { ...mail.message, createdAt } };
    };
    await store.cancelSubscription(left.id, unsubscribeNotice("t1"));
    await store.cancelSubscription(back.id, unsubscribeNotice("t2"));
    await store.confirmSubscription("t2", start);
    const claimed = await store.claimDue(leaseOf("a"), after(1e5), 2);
    assert.deepEqual(
      claimed.map(({ recipient }) => recipient.target),
      [back.seq, stays.seq],
    );
    assert.deepEqual(await countsOf(store, message), {
      cancelled: 2,
      sending: 2,
    });
  });

  test("sends confirmations to the unconfirmed and unsubscribe notices to who left", async (store) => {
    const topic = await addTopic(store);
    const unconfirmed = await addUnconfirmed(store, topic, "t1");
    const left = await addSubscription(store, topic);
    const gone = await addUnconfirmed(store, topic, "t2");
    await store.cancelSubscription(left.id, () =>
      mailOf(topic, "unsubscription", "t3"),
    );
    await store.deleteSubscription(projectId, topic.name, gone.id, start);
    const claimed = await store.claimDue(leaseOf("a"), start, 9);
    assert.deepEqual(
      claimed.map(({ recipient }) => recipient.target).sort(),
      [unconfirmed.seq, left.seq].sort(),
    );
  });

  test("knows when the next delivery falls due", async (store) => {
    assert.equal(await nextDueAt(store), undefined);
    for (const createdAt of [after(20), after(10)]) {
      const message = directMessage({ createdAt });
      await store.acceptDirectMessage(message, phones(1, true));
    }
    assert.equal(await nextDueAt(store), after(10));
    await store.claimDue(leaseOf("a"), after(10), 9);
    assert.equal(await nextDueAt(store), after(20));
    await store.claimDue(leaseOf("a"), after(20), 9);
    assert.equal(await nextDueAt(store), undefined);
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
