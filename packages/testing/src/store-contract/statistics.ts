import assert from "node:assert/strict";
import {
  type HourlyCount,
  hourMs,
  type Store,
  type Topic,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  addUnconfirmed,
  after,
  claimDue,
  completeRange,
  delivered,
  fanOut,
  intend,
  leaseOf,
  messageTo,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

export function testStatistics({ test }: Cases): void {
  test("counts what came to rest by hour, protocol and state", async (store) => {
    const topic = await addTopic(store);
    const a = await addSubscription(store, topic);
    const b = await addSubscription(store, topic);
    const sms = await addSubscription(store, topic, {
      protocol: "sms",
      endpoint: "+4915112345678",
    });
    const later = { at: after(hourMs), durationMs: 1 };
    await fanOut(store, topic, (seq) => [
      delivered(seq, a.seq),
      delivered(seq, b.seq, { lastAttempt: later }),
      delivered(seq, sms.seq, { state: "sent" }),
    ]);
    await fanOut(store, topic, (seq) => [
      delivered(seq, a.seq),
      delivered(seq, b.seq, { state: "filtered", attempts: 0 }),
    ]);
    assert.deepEqual(await statisticsOf(store, topic), [
      "0 https delivered 2",
      "0 https filtered 1",
      "0 sms sent 1",
      "1 https delivered 1",
    ]);
    const second = await store.readStatistics(
      topic.seq,
      after(hourMs),
      after(2 * hourMs),
    );
    assert.deepEqual(second, [
      {
        hour: after(hourMs),
        protocol: "https",
        state: "delivered",
        count: 1,
      },
    ]);
  });

  test("counts a delivery once, when it comes to rest", async (store, clock) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const messageSeq = await fanOut(store, topic, (seq) => [
      delivered(seq, target, { state: "retrying", nextAttemptAt: after(1) }),
    ]);
    assert.deepEqual(await statisticsOf(store, topic), []);
    const [claim] = await claimDue(store, clock, leaseOf("a"), after(1), 1);
    const outcome = delivered(messageSeq, target, {
      state: "sent",
      parts: [{ externalId: "x1" }],
      provider: "p",
    });
    await recordOutcomes(store, [{ ...outcome, fence: claim?.fence ?? 0 }]);
    const once = ["0 https sent 1"];
    assert.deepEqual(await statisticsOf(store, topic), once);
    await store.recordReceipt({
      entry: "p",
      externalId: "x1",
      event: "deliver",
      at: after(hourMs),
    });
    assert.deepEqual(await statisticsOf(store, topic), once);
  });

  test("counts an interrupted billable delivery as unknown", async (store, clock) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    await fanOut(store, topic, (seq) => [
      delivered(seq, target, {
        state: "waiting",
        attempts: 0,
        nextAttemptAt: start,
        billable: true,
      }),
    ]);
    const [claim] = await claimDue(store, clock, leaseOf("a", 10), start, 1);
    assert.ok(claim);
    await intend(store, claim);
    clock.advance(hourMs);
    await store.reclaim();
    assert.deepEqual(await statisticsOf(store, topic), ["1 https unknown 1"]);
  });

  test("does not count confirmations, nor a range's outcomes twice", async (store, clock) => {
    const topic = await addTopic(store);
    const unconfirmed = await addUnconfirmed(store, topic);
    const [claim] = await claimDue(store, clock, leaseOf("a"), start, 1);
    assert.ok(claim);
    await recordOutcomes(store, [
      {
        ...delivered(claim.messageSeq, unconfirmed.seq),
        fence: claim.fence,
      },
    ]);
    const { seq: target } = await addSubscription(store, topic);
    const { seq, range } = await store.acceptMessage(
      messageTo(topic),
      leaseOf("a", 1),
    );
    assert.ok(range);
    const outcomes = [delivered(seq, target)];
    await completeRange(store, range, outcomes);
    await completeRange(store, range, outcomes);
    assert.deepEqual(await statisticsOf(store, topic), ["0 https delivered 1"]);
    await store.deleteTopic(projectId, topic.name, start);
    assert.deepEqual(await statisticsOf(store, topic), []);
  });

  test("counts what is cancelled, and what is sent again once more", async (store, clock) => {
    const topic = await addTopic(store);
    const gone = await addSubscription(store, topic);
    const held = await addSubscription(store, topic);
    const text = await addSubscription(store, topic, {
      protocol: "sms",
      endpoint: "+4915112345678",
    });
    const nextAttemptAt = after(5);
    const messageSeq = await fanOut(store, topic, (seq) => [
      delivered(seq, gone.seq, { state: "retrying", nextAttemptAt }),
      delivered(seq, held.seq, { state: "retrying", nextAttemptAt }),
      delivered(seq, text.seq, {
        state: "failed",
        provider: "loopback",
        parts: [{ externalId: "x1", state: "failed" }],
      }),
    ]);
    const act = async (target: number, action: "cancel" | "resend") =>
      await store.actOnDelivery(
        { messageSeq, target },
        { action, now: after(1), lives: {}, pullProtocols: [] },
        { userId: "u1", userName: "ada" },
      );
    await act(held.seq, "cancel");
    await act(text.seq, "resend");
    await store.deleteSubscription(projectId, topic.name, gone.id, after(1));
    const claims = await claimDue(store, clock, leaseOf("a"), after(9), 9);
    assert.deepEqual(
      claims.map(({ recipient }) => recipient.target),
      [text.seq],
    );
    await recordOutcomes(
      store,
      claims.map(({ fence }) => ({
        ...delivered(messageSeq, text.seq, { state: "sent", attempts: 2 }),
        provider: "loopback",
        parts: [{ externalId: "x2" }],
        fence,
      })),
    );
    assert.deepEqual(await statisticsOf(store, topic), [
      "0 https cancelled 2",
      "0 sms failed 1",
      "0 sms sent 1",
    ]);
  });
}

/** Hours since the start, protocol, state and count of each, sorted. */
async function statisticsOf(store: Store, topic: Topic): Promise<string[]> {
  const counts: readonly HourlyCount[] = await store.readStatistics(
    topic.seq,
    after(-24 * hourMs),
    after(24 * hourMs),
  );
  return counts
    .map(
      ({ hour, protocol, state, count }) =>
        `${(hour - start) / hourMs} ${protocol} ${state} ${count}`,
    )
    .sort();
}
