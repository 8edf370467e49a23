/** Messages to several topics: turns, and what of each belongs to which topic. */

import assert from "node:assert/strict";
import type {
  AudienceRange,
  NewMessage,
  RangeOutcome,
  Store,
  Subscription,
  Topic,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addTopic,
  addUnconfirmed,
  after,
  claimDue,
  claimRanges,
  completeRange,
  countsOf,
  delivered,
  hasRanges,
  leaseOf,
  messageTo,
  projectId,
  start,
  urnOf,
} from "./fixtures.ts";

function messageToSeveral(
  topics: readonly Topic[],
  message: Partial<NewMessage> = {},
): NewMessage {
  const { topic: _, ...rest } = messageTo(topics[0] as Topic, message);
  return {
    ...rest,
    audience: "topics",
    topics: topics.map(({ seq, name, displayName, introduction }, n) => {
      const urn = urnOf(topics[n] as Topic);
      return { seq, urn, name, displayName, introduction };
    }),
  };
}

async function addTopics(store: Store, count: number): Promise<Topic[]> {
  const topics: Topic[] = [];
  for (let n = 0; n < count; n++) {
    topics.push(await addTopic(store, { displayName: `Number ${n}` }));
  }
  return topics;
}

/** A subscriber's subscription to each of the topics. */
async function subscribe(
  store: Store,
  topics: readonly Topic[],
  endpoint: string,
): Promise<Subscription[]> {
  const added: Subscription[] = [];
  for (const topic of topics) {
    added.push(await addSubscription(store, topic, { endpoint }));
  }
  return added;
}

function waiting(
  messageSeq: number,
  target: number,
  outcome: Partial<RangeOutcome> = {},
): RangeOutcome {
  return {
    messageSeq,
    target,
    state: "waiting",
    attempts: 0,
    nextAttemptAt: start,
    ...outcome,
  };
}

/** Ends the only free range. */
async function completeNext(
  store: Store,
  outcomes: readonly RangeOutcome[],
): Promise<AudienceRange> {
  const [work, ...others] = await claimRanges(store, leaseOf("next"), 9);
  assert.ok(work);
  assert.deepEqual(others, []);
  await completeRange(store, work.range, outcomes);
  return work.range;
}

export function testSeveralTopics({ test }: Cases): void {
  test("keeps a message with its topics, in their order", async (store) => {
    const topics = (await addTopics(store, 3)).toReversed();
    const message = messageToSeveral(topics, {
      relatedObjects: [{ type: "order", id: "7" }],
    });
    const { seq } = await store.acceptMessage(message, undefined);
    assert.deepEqual(await store.findMessageBySeq(seq), { ...message, seq });
    const report = await store.findMessage(projectId, message.id);
    assert.deepEqual(report?.message, { ...message, seq });
    assert.deepEqual([report?.fannedOut, report?.counts], [true, {}]);
    const [first] = topics;
    await store.deleteTopic(projectId, first?.name ?? "", start);
    assert.deepEqual(await store.findMessageBySeq(seq), { ...message, seq });
  });

  test("walks its topics one after another, those with nobody passed over", async (store) => {
    const topics = await addTopics(store, 5);
    const [empty, a, unconfirmed, b, last] = topics;
    assert.ok(empty && a && unconfirmed && b && last);
    await addUnconfirmed(store, unconfirmed);
    for (const topic of [a, a, b]) await addSubscription(store, topic);
    const message = messageToSeveral(topics);
    const lease = leaseOf("a", 60_000, 1);
    const { seq, range, unclaimed } = await store.acceptMessage(message, lease);
    assert.ok(range);
    const { topicSeq, topicPosition } = range;
    assert.deepEqual([topicSeq, topicPosition, unclaimed], [a.seq, 1, 1]);
    const [rest] = await claimRanges(store, lease, 9, { rangeSize: 1 });
    assert.ok(rest);
    assert.deepEqual(
      [rest.range.topicSeq, rest.range.topicPosition],
      [a.seq, 1],
    );
    const { unclaimed: none } = await completeRange(store, rest.range, []);
    assert.equal(none, undefined);
    assert.equal(await hasRanges(store), false);
    const report = await completeRange(store, range, []);
    assert.deepEqual(report, { kept: true, refused: [], unclaimed: 1 });
    const fannedOut = async () =>
      (await store.findMessage(projectId, message.id))?.fannedOut;
    assert.equal(await fannedOut(), false);
    const [next] = await claimRanges(store, lease, 9);
    assert.deepEqual(next, {
      range: {
        messageSeq: seq,
        topicSeq: b.seq,
        topicPosition: 3,
        afterTarget: 0,
        uptoTarget: undefined,
        fence: 1,
      },
      message: { ...message, seq },
    });
    await addSubscription(store, last);
    await completeRange(store, next?.range ?? range, []);
    const { topicSeq: lastSeq } = await completeNext(store, []);
    assert.equal(lastSeq, last.seq);
    assert.equal(await fannedOut(), true);
    assert.equal(await hasRanges(store), false);
  });

  test("tells what an operator cancelled from what its subscriber left", async (store) => {
    const topics = await addTopics(store, 2);
    const [a, b] = topics;
    assert.ok(a && b);
    const [ofA] = await subscribe(store, topics, "https://a.test/");
    assert.ok(ofA);
    const message = messageToSeveral(topics);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    await completeRange(store, range, [waiting(seq, ofA.seq)]);
    await store.actOnDelivery(
      { messageSeq: seq, target: ofA.seq },
      { action: "cancel", now: after(1), lives: {}, pullProtocols: [] },
      { userId: "u1", userName: "ada" },
    );
    const [next] = await claimRanges(store, leaseOf("a"), 9);
    assert.ok(next);
    const [recipient] = await store.readAudience(next.range, 9);
    assert.deepEqual(recipient?.others, [
      { isLater: false, isActive: true, state: "cancelled", isWithdrawn: true },
    ]);
  });

  test("finds those of one topic for an operator's action", async (store) => {
    const topics = await addTopics(store, 2);
    const [a, b] = topics;
    assert.ok(a && b);
    const [ofA] = await subscribe(store, [a], "https://a.test/");
    const [ofB] = await subscribe(store, [b], "https://b.test/");
    assert.ok(ofA && ofB);
    const message = messageToSeveral(topics);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    const failed = (target: number) => [
      delivered(seq, target, { state: "failed" }),
    ];
    await completeRange(store, range, failed(ofA.seq));
    await completeNext(store, failed(ofB.seq));
    const limits = { maxMessages: 9, maxDeliveries: 9 };
    for (const [topicSeq, expected] of [
      [a.seq, 1],
      [b.seq, 1],
      [undefined, 2],
    ] as const) {
      const filter = {
        states: ["failed"] as const,
        ...(topicSeq !== undefined && { topicSeq }),
      };
      const { count } = await store.countDeliveries(
        projectId,
        filter,
        undefined,
        limits,
      );
      assert.equal(count, expected);
    }
  });

  test("a range that was worked in part does not end its topic's turn", async (store) => {
    const topics = await addTopics(store, 2);
    const [a, b] = topics;
    assert.ok(a && b);
    const [first] = await subscribe(store, [a, b], "https://a.test/");
    await addSubscription(store, a);
    const message = messageToSeveral(topics);
    const { range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(first && range);
    const uptoTarget = first.seq;
    await store.finish({ range, outcomes: [], uptoTarget });
    const rest = await completeNext(store, []);
    assert.deepEqual([rest.topicSeq, rest.afterTarget], [a.seq, first.seq]);
    assert.equal((await completeNext(store, [])).topicSeq, b.seq);
  });

  test("reads with a recipient what its subscriber has in the other topics", async (store) => {
    const topics = await addTopics(store, 4);
    const [a, b, c, d] = topics;
    assert.ok(a && b && c && d);
    const endpoint = "https://a.test/";
    const filterPolicies = [{ name: "level", stringEquals: ["high"] }];
    const [inA, inB] = await subscribe(store, [a, b], endpoint);
    const [inD] = await subscribe(store, [d], endpoint);
    assert.ok(inA && inB && inD);
    await addUnconfirmed(store, c);
    await addSubscription(store, c, { endpoint, protocol: "http" });
    await addSubscription(store, await addTopic(store), { endpoint });
    const alone = await addSubscription(store, b);
    const change = { filterPolicies };
    await store.updateSubscription(projectId, d.name, inD.id, change);
    const message = messageToSeveral(topics);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    const [only, ...rest] = await store.readAudience(range, 9);
    assert.deepEqual(rest, []);
    assert.deepEqual(only?.others, [
      { isLater: true, isActive: true },
      { isLater: true, isActive: true, filterPolicies },
    ]);
    await completeRange(store, range, [waiting(seq, inA.seq)]);
    await store.cancelSubscription(inA.id, () => undefined);
    const [work] = await claimRanges(store, leaseOf("a"), 9);
    assert.ok(work);
    const audience = await store.readAudience(work.range, 9);
    assert.deepEqual(
      audience.map(({ target, others }) => [target, others]),
      [
        [
          inB.seq,
          [
            { isLater: false, isActive: false, state: "waiting" },
            { isLater: true, isActive: true, filterPolicies },
          ],
        ],
        [alone.seq, undefined],
      ],
    );
  });

  test("tells of each delivery by the topic of its subscription", async (store, clock) => {
    const topics = await addTopics(store, 2);
    const [a, b] = topics;
    assert.ok(a && b);
    const inA = await addSubscription(store, a);
    const inB = await addSubscription(store, b);
    const message = messageToSeveral(topics);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    await completeRange(store, range, [waiting(seq, inA.seq)]);
    await completeNext(store, [delivered(seq, inB.seq)]);
    const deliveries = await store.listDeliveries(seq, { limit: 9 });
    assert.deepEqual(
      deliveries.map(({ subscriptionUrn }) => subscriptionUrn),
      [`${urnOf(a)}:${inA.id}`, `${urnOf(b)}:${inB.id}`],
    );
    const heads = await store.listDeliveryHeads(seq, [inA.seq, inB.seq]);
    assert.deepEqual(
      heads.map(({ topicSeq }) => topicSeq),
      [a.seq, b.seq],
    );
    const [head] = await store.findMessageHeads([seq]);
    assert.deepEqual(
      [head?.topic, head?.topics],
      [
        undefined,
        topics.map((it) => ({ seq: it.seq, urn: urnOf(it), name: it.name })),
      ],
    );
    const [claim] = await claimDue(store, clock, leaseOf("a"), start, 9);
    assert.equal(claim?.topicSeq, a.seq);
    const list = async (topicSeq: number) =>
      (
        await store.listMessages(projectId, { topicSeq }, { limit: 9 })
      ).messages.map((it) => it.message.seq);
    assert.deepEqual(await list(a.seq), [seq]);
    assert.deepEqual(await list(b.seq), [seq]);
    assert.deepEqual(await list((await addTopic(store)).seq), []);
    const statistics = (topic: Topic) =>
      store.readStatistics(topic.seq, start, after(3_600_000));
    assert.deepEqual(await statistics(a), []);
    assert.deepEqual(await statistics(b), [
      { hour: start, protocol: "https", state: "delivered", count: 1 },
    ]);
  });

  test("a topic that is deleted takes what waits of it alone", async (store) => {
    const topics = await addTopics(store, 2);
    const [a, b] = topics;
    assert.ok(a && b);
    const inA = await addSubscription(store, a);
    const inB = await addSubscription(store, b);
    const message = messageToSeveral(topics);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    await completeRange(store, range, [waiting(seq, inA.seq)]);
    await completeNext(store, [waiting(seq, inB.seq)]);
    await store.deleteTopic(projectId, a.name, after(1));
    assert.deepEqual(await countsOf(store, message), {
      cancelled: 1,
      waiting: 1,
    });
    assert.equal((await store.findDelivery(seq, inB.seq))?.state, "waiting");
    assert.equal(await hasRanges(store), false);
  });

  test("hands what is cancelled over to the subscriber's other subscriptions", async (store, clock) => {
    for (const leave of [
      (topic: Topic, { id }: Subscription) =>
        store.deleteSubscription(projectId, topic.name, id, start),
      (topic: Topic) => store.deleteTopic(projectId, topic.name, start),
    ]) {
      const topics = await addTopics(store, 4);
      const [a, b, c, d] = topics;
      assert.ok(a && b && c && d);
      const endpoint = "https://a.test/";
      const [inA, inB] = await subscribe(store, [a, b], endpoint);
      await addSubscription(store, c);
      const [inD] = await subscribe(store, [d], endpoint);
      assert.ok(inA && inB && inD);
      const message = messageToSeveral(topics);
      const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
      assert.ok(range);
      await completeRange(store, range, [waiting(seq, inA.seq)]);
      await completeNext(store, []);
      // The third topic is being walked, the turn of the fourth is to come.
      const [third] = await claimRanges(store, leaseOf("a"), 9);
      assert.equal(third?.range.topicSeq, c.seq);
      await leave(a, inA);
      const lease = leaseOf("a");
      assert.deepEqual(await claimDue(store, clock, lease, start, 9), []);
      const [again, ...others] = await claimRanges(store, lease, 9);
      assert.ok(again && third);
      assert.deepEqual(others, []);
      const audience = await store.readAudience(again.range, 9);
      assert.deepEqual(
        audience.map(({ target }) => target),
        [inB.seq],
      );
      const isLater = audience[0]?.others?.some((it) => it.isLater);
      assert.equal(isLater, false);
      const outcomes = [delivered(seq, inB.seq)];
      const { unclaimed } = await completeRange(store, again.range, outcomes);
      assert.equal(unclaimed, undefined);
      await completeRange(store, third.range, []);
      assert.equal((await completeNext(store, [])).topicSeq, d.seq);
      assert.equal(await hasRanges(store), false);
      assert.deepEqual(await countsOf(store, message), {
        cancelled: 1,
        delivered: 1,
      });
    }
  });

  test("hands nothing over to who has a delivery, or to whom none was refused", async (store, clock) => {
    const topics = await addTopics(store, 2);
    const [a, b] = topics;
    assert.ok(a && b);
    const [inA, inB] = await subscribe(store, topics, "https://a.test/");
    const other = await addSubscription(store, b);
    assert.ok(inA && inB);
    const message = messageToSeveral(topics);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    await completeRange(store, range, [waiting(seq, inA.seq)]);
    await completeNext(store, [
      delivered(seq, inB.seq),
      delivered(seq, other.seq),
    ]);
    await store.deleteSubscription(projectId, a.name, inA.id, start);
    assert.deepEqual(await claimDue(store, clock, leaseOf("a"), start, 9), []);
    assert.equal(await hasRanges(store), false);
  });

  test("an escalation ends with its own topic's rounds", async (store, clock) => {
    const topics = await addTopics(store, 2);
    const [a, b] = topics;
    assert.ok(a && b);
    const inA = await addSubscription(store, a);
    const inB = await addSubscription(store, b);
    const alsoInA = await addSubscription(store, a);
    const message = messageToSeveral(topics);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    await completeRange(store, range, [
      delivered(seq, inA.seq, { round: 1 }),
      waiting(seq, alsoInA.seq, { round: 2 }),
    ]);
    await completeNext(store, [waiting(seq, inB.seq, { round: 2 })]);
    const claims = await claimDue(store, clock, leaseOf("a"), start, 9);
    assert.deepEqual(
      claims.map(({ recipient }) => recipient.target),
      [inB.seq],
    );
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 1,
      sending: 1,
    });
  });

  test("keeps one with a key once", async (store) => {
    const topics = await addTopics(store, 2);
    await subscribe(store, topics, "https://a.test/");
    const message = messageToSeveral(topics);
    const key = {
      projectId,
      key: "k",
      fingerprint: "f",
      requestId: "r",
      messageId: message.id,
      expiresAt: after(1000),
    };
    const audience = { kind: "topics", lease: leaseOf("a") } as const;
    const first = await store.acceptOnce(key, message, audience);
    assert.ok(!first.isRepeated && first.range);
    assert.equal(first.range.topicPosition, 0);
    const again = await store.acceptOnce(key, message, audience);
    assert.deepEqual(again, { isRepeated: true, earlier: key });

    const page = await store.listMessages(projectId, {}, { limit: 9 });
    assert.equal(page.messages.length, 1);
  });
}
