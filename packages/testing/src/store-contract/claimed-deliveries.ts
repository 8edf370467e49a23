import assert from "node:assert/strict";
import type { Attempt, Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  leaseOf,
  mailOf,
  messageTo,
  phones,
  projectId,
  start,
  statesOf,
} from "./fixtures.ts";

export function testClaimedDeliveries({ test }: Cases): void {
  test("has the deliveries of a direct message due at once", async (store) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2), false);
    assert.equal(await store.nextDueAt(), start);
    assert.deepEqual(await store.claimDue(leaseOf("a"), start - 1, 9), []);
    const claimed = await store.claimDue(leaseOf("a"), start, 9);
    assert.deepEqual(
      claimed,
      phones(2).map((phone, target) => ({
        messageSeq: seq,
        recipient: { target, ...phone },
        state: "waiting",
        attempts: 0,
        fence: 1,
      })),
    );
  });

  test("shows what is claimed as being sent", async (store) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2), false);
    await store.claimDue(leaseOf("a", start + 10), start, 1);
    assert.deepEqual(await countsOf(store, message), {
      sending: 1,
      waiting: 1,
    });
    assert.deepEqual((await statesOf(store, seq)).sort(), [
      "sending",
      "waiting",
    ]);
  });

  test("claims again only when the lease ended, with a higher fence", async (store) => {
    await store.acceptDirectMessage(directMessage(), phones(1), false);
    const [first] = await store.claimDue(leaseOf("a", start + 10), start, 9);
    assert.deepEqual(await store.claimDue(leaseOf("b"), start + 9, 9), []);
    assert.equal(await store.nextDueAt(), start + 10);
    const [second] = await store.claimDue(leaseOf("b"), start + 10, 9);
    assert.ok(first && second);
    assert.ok(second.fence > first.fence);
    assert.equal(second.attempts, 0);
    assert.equal(second.state, "sending");
  });

  test("claims what is due longest first, as many as asked for", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    await fanOut(store, topic, (seq) => [
      delivered(seq, a.seq, { state: "retrying", nextAttemptAt: start + 3 }),
      delivered(seq, b.seq, { state: "retrying", nextAttemptAt: start + 1 }),
      delivered(seq, c.seq, { state: "retrying", nextAttemptAt: start + 2 }),
    ]);
    const claim = async (limit: number) =>
      (await store.claimDue(leaseOf("a"), start + 3, limit)).map(
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
    const lastAttempt = failedAttempt(start);
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
    assert.equal(await store.nextDueAt(), undefined);
  });

  test("leaves out outcomes whose claim was lost, and only those", async (store) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2), false);
    const lost = await store.claimDue(leaseOf("a", start + 1), start, 9);
    const held = await store.claimDue(leaseOf("b"), start + 1, 1);
    const target = held[0]?.recipient.target;
    await store.recordOutcomes(
      lost.map(({ recipient, fence }) => ({
        ...delivered(seq, recipient.target, { state: "failed" }),
        fence,
      })),
    );
    assert.deepEqual(await countsOf(store, message), { sending: 1, failed: 1 });
    const delivery = await store.findDelivery(seq, target ?? -1);
    assert.equal(delivery?.state, "sending");
    assert.equal(delivery?.attemptCount, 0);
    const unknown = { ...delivered(seq, 99), fence: 0 };
    await store.recordOutcomes([unknown]);
    assert.equal(await store.findDelivery(seq, 99), undefined);
  });

  test("keeps every attempt, oldest first", async (store) => {
    const { claim } = await claimOne(store);
    const attempts = [0, 1, 2].map((n) => failedAttempt(start + n));
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
    const lastAttempt = failedAttempt(start);
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

  test("takes the late outcome of an attempt that its chunk left under way", async (store) => {
    const topic = await addTopic(store);
    const { seq } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const messageSeq = await fanOut(
      store,
      topic,
      (it) => [
        delivered(it, seq, {
          state: "sending",
          attempts: 0,
          nextAttemptAt: start + 10,
          fence: 7,
        }),
      ],
      message,
    );
    await store.recordOutcomes([{ ...delivered(messageSeq, seq), fence: 6 }]);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
    await store.recordOutcomes([{ ...delivered(messageSeq, seq), fence: 7 }]);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    assert.equal(await store.nextDueAt(), undefined);
  });

  test("claims a deferred delivery whose engine died, above its chunk's fence", async (store) => {
    const topic = await addTopic(store);
    const { seq } = await addSubscription(store, topic);
    const messageSeq = await fanOut(store, topic, (it) => [
      delivered(it, seq, {
        state: "sending",
        attempts: 0,
        nextAttemptAt: start + 10,
      }),
    ]);
    const [claim] = await store.claimDue(leaseOf("a"), start + 10, 1);
    assert.ok(claim);
    await store.recordOutcomes([{ ...delivered(messageSeq, seq), fence: 0 }]);
    assert.deepEqual(await statesOf(store, messageSeq), ["sending"]);
    assert.ok(claim.fence > 0);
  });

  test("never claims again a billable attempt that may have gone out", async (store) => {
    const { message } = await claimOne(store, { billable: true });
    const later = start + 1e9;
    assert.deepEqual(await store.claimDue(leaseOf("b"), later, 9), []);
    assert.equal(await store.nextDueAt(), undefined);
    assert.deepEqual(await countsOf(store, message), { sending: 1 });
  });

  test("calls an interrupted billable attempt unknown, once its lease ended", async (store) => {
    const { message } = await claimOne(store, { billable: true, until: 10 });
    await claimOne(store, { billable: false, until: 10 });
    assert.equal(await store.settleInterrupted(start + 9), 0);
    assert.equal(await store.settleInterrupted(start + 10), 1);
    assert.equal(await store.settleInterrupted(start + 10), 0);
    assert.deepEqual(await countsOf(store, message), { unknown: 1 });
  });

  test("learns the outcome of an unknown attempt from who made it", async (store) => {
    const { message, claim } = await claimOne(store, {
      billable: true,
      until: 10,
    });
    await store.settleInterrupted(start + 10);
    const outcome = delivered(claim.messageSeq, 0, { state: "sent" });
    await store.recordOutcomes([{ ...outcome, fence: claim.fence }]);
    assert.deepEqual(await countsOf(store, message), { sent: 1 });
  });

  test("claims what a billable chunk deferred, and loses it rather than repeat it", async (store) => {
    const topic = await addTopic(store);
    const { seq } = await addSubscription(store, topic);
    const messageSeq = await fanOut(store, topic, (it) => [
      {
        messageSeq: it,
        target: seq,
        state: "waiting",
        attempts: 0,
        nextAttemptAt: start,
        billable: true,
      },
    ]);
    const claimed = await store.claimDue(leaseOf("a", start + 10), start, 9);
    assert.equal(claimed.length, 1);
    assert.equal(await store.settleInterrupted(start + 10), 1);
    assert.deepEqual(await statesOf(store, messageSeq), ["unknown"]);
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
            nextAttemptAt: start + it.seq,
          }),
        ),
      message,
    );
    await store.deleteSubscription(projectId, topic.name, gone.id, start);
    const unsubscribeNotice = (token: string) => () => {
      const mail = mailOf(topic, "unsubscription", token);
      const createdAt = start + 1e6;
      return { ...mail, message: { ...mail.message, createdAt } };
    };
    await store.cancelSubscription(left.id, unsubscribeNotice("t1"));
    await store.cancelSubscription(back.id, unsubscribeNotice("t2"));
    await store.confirmSubscription("t2", start);
    const claimed = await store.claimDue(leaseOf("a"), start + 1e5, 2);
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

  test("cancels what waits when its topic is deleted", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    await fanOut(
      store,
      topic,
      (seq) => [
        delivered(seq, a.seq),
        delivered(seq, b.seq, { state: "retrying", nextAttemptAt: start }),
        delivered(seq, c.seq, { state: "waiting", nextAttemptAt: start }),
      ],
      message,
    );
    const other = directMessage();
    await store.acceptDirectMessage(other, phones(1), false);
    await store.deleteTopic(projectId, topic.name, start);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 2,
    });
    assert.deepEqual(await countsOf(store, other), { waiting: 1 });
    assert.equal((await store.claimDue(leaseOf("a"), start, 9)).length, 1);
  });

  test("tells the outcome of an attempt that was under way when its topic went", async (store) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const message = messageTo(topic);
    const seq = await fanOut(
      store,
      topic,
      (it) =>
        [a, b].map((subscription) =>
          delivered(it, subscription.seq, {
            state: "sending",
            attempts: 0,
            nextAttemptAt: start + 10,
          }),
        ),
      message,
    );
    await store.deleteTopic(projectId, topic.name, start);
    await store.recordOutcomes([{ ...delivered(seq, a.seq), fence: 0 }]);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      sending: 1,
    });
    assert.deepEqual(await store.claimDue(leaseOf("a"), start + 10, 9), []);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 1,
    });
  });

  test("knows when the next delivery falls due", async (store) => {
    assert.equal(await store.nextDueAt(), undefined);
    await store.acceptDirectMessage(
      directMessage({ createdAt: start + 20 }),
      phones(1),
      true,
    );
    await store.acceptDirectMessage(
      directMessage({ createdAt: start + 10 }),
      phones(1),
      true,
    );
    assert.equal(await store.nextDueAt(), start + 10);
    await store.claimDue(leaseOf("a", start + 15), start + 10, 9);
    assert.equal(await store.nextDueAt(), start + 20);
  });

  test("settles or frees what the dead were sending when it starts anew", async (store) => {
    const billable = await claimOne(store, { billable: true });
    const careless = await claimOne(store, { billable: false });
    await store.releaseAllLeases(start + 5);
    assert.deepEqual(await countsOf(store, billable.message), { unknown: 1 });
    assert.equal(await store.nextDueAt(), start + 5);
    const claimed = await store.claimDue(leaseOf("b"), start + 5, 9);
    assert.deepEqual(
      claimed.map(({ messageSeq }) => messageSeq),
      [careless.claim.messageSeq],
    );
  });
}

interface ClaimOneOptions {
  readonly billable?: boolean;
  /** Milliseconds from the start to the end of the lease. */
  readonly until?: number;
}

/** A message to one phone, being sent. */
async function claimOne(
  store: Store,
  { billable = false, until = 60_000 }: ClaimOneOptions = {},
) {
  const message = directMessage();
  await store.acceptDirectMessage(message, phones(1), billable);
  const [claim] = await store.claimDue(leaseOf("a", start + until), start, 1);
  assert.ok(claim);
  return { message, claim };
}

function failedAttempt(at: number): Attempt {
  return {
    at,
    durationMs: 30,
    statusCode: 503,
    errorClass: "http_status",
    error: "503 Service Unavailable",
  };
}
