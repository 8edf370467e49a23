import assert from "node:assert/strict";
import {
  type AudienceRange,
  type Lease,
  subscriptionStatus,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  after,
  countsOf,
  delivered,
  hasRanges,
  leaseOf,
  mailOf,
  messageTo,
  nextDueAt,
  projectId,
  start,
} from "./fixtures.ts";

export function testFanOut({ test }: Cases): void {
  test("answers an accepted message's first range claimed", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.deepEqual(range, {
      messageSeq: seq,
      topicSeq: topic.seq,
      afterTarget: 0,
      uptoTarget: undefined,
      fence: 1,
    });
    assert.equal(await hasRanges(store), false);
  });

  test("leaves the range to others when no lease is given", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, undefined);
    assert.equal(range, undefined);
    assert.equal(await hasRanges(store), true);
    assert.deepEqual(await store.claimRanges(leaseOf("a"), 10), [
      {
        range: {
          messageSeq: seq,
          topicSeq: topic.seq,
          afterTarget: 0,
          uptoTarget: undefined,
          fence: 1,
        },
        message: { ...message, seq },
      },
    ]);
  });

  test("has no range for a topic without active subscriptions", async (store) => {
    const topic = await addTopic(store);
    await addUnconfirmed(store, topic);
    const { id } = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, id, start);
    const message = messageTo(topic);
    const { range } = await store.acceptMessage(message, leaseOf("a"));
    assert.equal(range, undefined);
    assert.equal(await hasRanges(store), false);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.fannedOut, true);
    assert.deepEqual(report?.counts, {});
  });

  test("claims what nobody holds, oldest message first", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const accept = async (lease?: Lease) =>
      (await store.acceptMessage(messageTo(topic), lease)).seq;
    const first = await accept();
    await accept(leaseOf("a"));
    const second = await accept();
    const last = await accept();
    const claim = async () =>
      (await store.claimRanges(leaseOf("b"), 2)).map(
        ({ range }) => range.messageSeq,
      );
    assert.deepEqual(await claim(), [first, second]);
    assert.deepEqual(await claim(), [last]);
    assert.deepEqual(await claim(), []);
  });

  test("reads filter policies with the audience, and keeps why one was left out", async (store) => {
    const topic = await addTopic(store);
    const filterPolicies = [{ name: "level", stringEquals: ["high"] }];
    const choosy = await addSubscription(store, topic);
    const alike = await addSubscription(store, topic);
    const all = await addSubscription(store, topic);
    for (const { id } of [choosy, alike]) {
      await store.updateSubscription(projectId, topic.name, id, {
        filterPolicies,
      });
    }
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    const audience = await store.readAudience(range, 10);
    assert.deepEqual(
      audience.map(({ target, filterPolicies: policies }) => [
        target,
        policies,
      ]),
      [
        [choosy.seq, filterPolicies],
        [alike.seq, filterPolicies],
        [all.seq, undefined],
      ],
    );
    const why = { errorClass: "filtered", error: "Not its level." } as const;
    await store.completeRange(range, [
      {
        messageSeq: seq,
        target: choosy.seq,
        state: "filtered",
        attempts: 0,
        lastAttempt: { at: start, durationMs: 0, ...why },
      },
    ]);
    assert.deepEqual(await countsOf(store, message), { filtered: 1 });
    const delivery = await store.findDelivery(seq, choosy.seq);
    assert.equal(delivery?.attemptCount, 0);
    assert.deepEqual(delivery?.attempts, [
      { at: start, durationMs: 0, ...why },
    ]);
  });

  test("reads the audience in order, active ones only", async (store) => {
    const topic = await addTopic(store);
    const a = await addSubscription(store, topic, {
      extension: { header: { "x-key": "1" } },
    });
    await addUnconfirmed(store, topic);
    await addSubscription(store, await addTopic(store));
    const b = await addSubscription(store, topic, {
      status: subscriptionStatus.confirmationNotNeeded,
      protocol: "email",
      endpoint: "ops@example.com",
    });
    const gone = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, gone.id, start);
    const c = await addSubscription(store, topic);
    const { range } = await store.acceptMessage(messageTo(topic), leaseOf("a"));
    assert.ok(range);
    assert.deepEqual(await store.readAudience(range, 2), [
      {
        target: a.seq,
        protocol: "https",
        endpoint: a.endpoint,
        subscriptionId: a.id,
        generation: 0,
        extension: { header: { "x-key": "1" } },
      },
      {
        target: b.seq,
        protocol: "email",
        endpoint: "ops@example.com",
        subscriptionId: b.id,
        generation: 0,
      },
    ]);
    const targets = async (part: Partial<AudienceRange>) =>
      (await store.readAudience({ ...range, ...part }, 10)).map(
        ({ target }) => target,
      );
    assert.deepEqual(await targets({}), [a.seq, b.seq, c.seq]);
    assert.deepEqual(await targets({ afterTarget: a.seq }), [b.seq, c.seq]);
    assert.deepEqual(await targets({ uptoTarget: b.seq }), [a.seq, b.seq]);
    assert.deepEqual(await targets({ afterTarget: c.seq }), []);
  });

  test("reads an audience as each change leaves it", async (store) => {
    const topic = await addTopic(store);
    const a = await addSubscription(store, topic);
    const { range } = await store.acceptMessage(messageTo(topic), leaseOf("a"));
    assert.ok(range);
    const read = async () =>
      (await store.readAudience(range, 10)).map((it) => [
        it.target,
        it.filterPolicies?.length ?? 0,
        it.cancelled ?? false,
      ]);
    assert.deepEqual(await read(), [[a.seq, 0, false]]);
    const b = await addUnconfirmed(store, topic);
    assert.deepEqual(await read(), [[a.seq, 0, false]]);
    await store.confirmSubscription(b.id, 0);
    assert.deepEqual(await read(), [
      [a.seq, 0, false],
      [b.seq, 0, false],
    ]);
    await store.updateSubscription(projectId, topic.name, a.id, {
      filterPolicies: [{ name: "level", stringEquals: ["high"] }],
    });
    assert.deepEqual(await read(), [
      [a.seq, 1, false],
      [b.seq, 0, false],
    ]);
    await store.cancelSubscription(b.id, () => mailOf(topic, "unsubscription"));
    assert.deepEqual(await read(), [[a.seq, 1, false]]);
    const c = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, a.id, start);
    assert.deepEqual(await read(), [[c.seq, 0, false]]);
    await store.deleteTopic(projectId, topic.name, start);
    assert.deepEqual(await read(), [[c.seq, 0, true]]);
  });

  test("cuts an open range; the rest is for whoever claims it", async (store) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b);
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    const front = await store.splitRange(range, a.seq);
    assert.deepEqual(front, { range: { ...range, uptoTarget: a.seq } });
    assert.equal(await hasRanges(store), true);
    const [rest] = await store.claimRanges(leaseOf("b"), 10);
    assert.ok(rest);
    assert.deepEqual(rest.range, {
      messageSeq: seq,
      topicSeq: topic.seq,
      afterTarget: a.seq,
      uptoTarget: undefined,
      fence: rest.range.fence,
    });
    assert.ok(await store.splitRange(rest.range, b.seq));
    const claimed = await store.claimRanges(leaseOf("c"), 10);
    assert.deepEqual(
      claimed.map(({ range: { afterTarget, uptoTarget } }) => [
        afterTarget,
        uptoTarget,
      ]),
      [[b.seq, undefined]],
    );
    assert.deepEqual(await store.completeRange(front.range, []), {
      kept: true,
      refused: [],
    });
  });

  test("cuts a closed range too, and its rest ends where it ended", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const { range } = await store.acceptMessage(messageTo(topic), leaseOf("a"));
    assert.ok(range);
    const closed = await store.splitRange(range, b.seq);
    assert.ok(closed);
    const front = await store.splitRange(closed.range, a.seq);
    assert.equal(front?.range.uptoTarget, a.seq);
    const rests = await store.claimRanges(leaseOf("a"), 10);
    assert.deepEqual(
      rests.map((it) => [it.range.afterTarget, it.range.uptoTarget]),
      [
        [a.seq, b.seq],
        [b.seq, undefined],
      ],
    );
    const read = await Promise.all(
      [front, ...rests].map((it) => store.readAudience(it.range, 10)),
    );
    assert.deepEqual(
      read.map((audience) => audience.map(({ target }) => target)),
      [[a.seq], [b.seq], [c.seq]],
    );
  });

  test("cuts no range at its start, at its end, or behind it", async (store) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const message = messageTo(topic);
    const { range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    assert.equal(await store.splitRange(range, 0), undefined);
    const front = await store.splitRange(range, b.seq);
    assert.ok(front);
    assert.equal(await store.splitRange(front.range, b.seq), undefined);
    const [rest] = await store.claimRanges(leaseOf("a"), 1);
    assert.ok(rest);
    assert.equal(await store.splitRange(rest.range, a.seq), undefined);
  });

  test("writes outcomes and removes the range, once", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    assert.deepEqual(
      await store.completeRange(range, [delivered(seq, target)]),
      { kept: true, refused: [] },
    );
    assert.equal(await hasRanges(store), false);
    const failed = delivered(seq, target, { state: "failed" });
    assert.deepEqual(await store.completeRange(range, [failed]), {
      kept: false,
      refused: [],
    });
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("gives a range back unworked", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const { range } = await store.acceptMessage(messageTo(topic), leaseOf("a"));
    assert.ok(range);
    await store.releaseRange(range);
    const nothing = { kept: false, refused: [] };
    assert.deepEqual(await store.completeRange(range, []), nothing);
    const [claimed] = await store.claimRanges(leaseOf("b"), 1);
    assert.ok(claimed && claimed.range.fence > range.fence);
    assert.deepEqual(await store.completeRange(range, []), nothing);
  });

  test("counts a delivery that is written twice once, and lets its end stand", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    const front = await store.splitRange(range, c.seq);
    const [rest] = await store.claimRanges(leaseOf("b"), 1);
    assert.ok(front && rest);
    await store.completeRange(front.range, [
      delivered(seq, a.seq),
      delivered(seq, b.seq, { state: "retrying", nextAttemptAt: after(1) }),
      delivered(seq, c.seq, { state: "sent" }),
    ]);
    const ended = await store.findDelivery(seq, a.seq);
    await store.completeRange(rest.range, [
      delivered(seq, a.seq, { state: "failed", attempts: 2 }),
      delivered(seq, b.seq),
      delivered(seq, c.seq, { state: "waiting", nextAttemptAt: after(1) }),
    ]);
    assert.deepEqual(await countsOf(store, message), { delivered: 2, sent: 1 });
    assert.deepEqual(await store.findDelivery(seq, a.seq), ended);
    assert.equal(await nextDueAt(store), undefined);
  });
}
