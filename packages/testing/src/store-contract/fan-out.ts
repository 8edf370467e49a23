import assert from "node:assert/strict";
import {
  type AudienceRange,
  type RangeLease,
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
  claimRanges,
  completeRange,
  countsOf,
  delivered,
  hasRanges,
  hmac,
  leaseOf,
  mailOf,
  messageTo,
  nextDueAt,
  projectId,
  recordOutcomes,
  start,
  underWay,
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
    assert.deepEqual(await claimRanges(store, leaseOf("a"), 10), [
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
    const accept = async (lease?: RangeLease) =>
      (await store.acceptMessage(messageTo(topic), lease)).seq;
    const first = await accept();
    await accept(leaseOf("a"));
    const second = await accept();
    const last = await accept();
    const claim = async () =>
      (await claimRanges(store, leaseOf("b"), 2)).map(
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
    await completeRange(store, range, [
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
      signature: hmac,
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
        signature: hmac,
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
    const signatures = async () =>
      (await store.readAudience(range, 10)).map((it) => it.signature);
    assert.deepEqual(await read(), [[a.seq, 0, false]]);
    assert.deepEqual(await signatures(), [undefined]);
    await store.replaceSignature(a.id, undefined, hmac);
    assert.deepEqual(await signatures(), [hmac]);
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

  test("cuts the first range to size; the rest is for whoever claims it", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 5);
    assert.ok(a && b && c);
    const accepted = await store.acceptMessage(
      messageTo(topic),
      leaseOf("a", 60_000, 2),
    );
    assert.equal(accepted.range?.uptoTarget, b.seq);
    assert.equal(accepted.unclaimed, 3);
    const [rest] = await claimRanges(store, leaseOf("b"), 10);
    assert.deepEqual(rest?.range, {
      messageSeq: accepted.seq,
      topicSeq: topic.seq,
      afterTarget: b.seq,
      uptoTarget: undefined,
      fence: 1,
    });
    assert.equal(await hasRanges(store), false);
  });

  test("cuts none that is just as long as it may be", async (store) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 2);
    const lease = leaseOf("a", 60_000, 2);
    // Twice, for a store may remember the audience.
    for (let n = 0; n < 2; n++) {
      const message = messageTo(topic);
      const { range, unclaimed } = await store.acceptMessage(message, lease);
      assert.ok(range);
      assert.deepEqual([range.uptoTarget, unclaimed], [undefined, 0]);
      assert.equal((await store.readAudience(range, 9)).length, 2);
    }
    assert.equal(await hasRanges(store), false);
  });

  test("says how many wait when nobody has room", async (store) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 3);
    const { unclaimed } = await store.acceptMessage(
      messageTo(topic),
      undefined,
    );
    assert.equal(unclaimed, 3);
  });

  test("cuts what is claimed to size, and the parts are the whole", async (store, clock) => {
    const topic = await addTopic(store);
    const all = await addSubscriptions(store, topic, 7);
    await store.acceptMessage(messageTo(topic), undefined);
    const parts: number[][] = [];
    for (;;) {
      clock.advance(1);
      const { ranges, mayHaveMore } = await store.claim(leaseOf("a"), {
        kinds: ["range"],
        limit: 5,
        rangeSize: 2,
      });
      for (const { range } of ranges) {
        const audience = await store.readAudience(range, 9);
        parts.push(audience.map(({ target }) => target));
      }
      if (ranges.length === 0) break;
      assert.equal(mayHaveMore, parts.length < 4);
    }
    assert.deepEqual(
      parts.map((part) => part.length),
      [2, 2, 2, 1],
    );
    assert.deepEqual(
      parts.flat(),
      all.map(({ seq }) => seq),
    );
  });

  test("cuts as many as are asked for, and takes whole ones besides", async (store) => {
    const long = await addTopic(store);
    await addSubscriptions(store, long, 5);
    const short = await addTopic(store);
    await addSubscription(store, short);
    for (const topic of [long, long, short]) {
      await store.acceptMessage(messageTo(topic), undefined);
    }
    const { ranges, mayHaveMore } = await store.claim(leaseOf("a"), {
      kinds: ["range"],
      limit: 10,
      rangeSize: 2,
      maxCutRanges: 1,
    });
    assert.deepEqual(
      ranges.map(({ range }) => range.topicSeq),
      [long.seq, short.seq],
    );
    assert.equal(mayHaveMore, true);
  });

  test("serves messages in turn: the rest of a long one comes after those that wait", async (store, clock) => {
    const long = await addTopic(store);
    await addSubscriptions(store, long, 5);
    const short = await addTopic(store);
    await addSubscription(store, short);
    const first = await store.acceptMessage(messageTo(long), undefined);
    clock.advance(1);
    const second = await store.acceptMessage(messageTo(short), undefined);
    clock.advance(1);
    const claimed: number[] = [];
    for (let n = 0; n < 4; n++) {
      const ranges = await claimRanges(store, leaseOf("a"), 1, {
        rangeSize: 2,
      });
      claimed.push(...ranges.map(({ range }) => range.messageSeq));
      clock.advance(1);
    }
    assert.deepEqual(claimed, [first.seq, second.seq, first.seq, first.seq]);
  });

  test("keeps a range until it may go out", async (store, clock) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic, { notBefore: after(1000) });
    const accepted = await store.acceptMessage(message, leaseOf("a"));
    assert.equal(accepted.range, undefined);
    assert.deepEqual(await claimRanges(store, leaseOf("a"), 9), []);
    assert.deepEqual(await store.nextDue(), { range: 1000 });
    clock.advance(1000);
    const [work] = await claimRanges(store, leaseOf("a"), 9);
    assert.deepEqual(work?.message, { ...message, seq: accepted.seq });
  });

  test("ends a range in part, and leaves its rest to anybody", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    const outcomes = [delivered(seq, a.seq)];
    for (const uptoTarget of [0, range.afterTarget]) {
      const report = await store.finish({ range, outcomes, uptoTarget });
      assert.deepEqual(report, { kept: false, refused: [] });
    }
    const report = await store.finish({
      range,
      outcomes,
      uptoTarget: a.seq,
    });
    assert.deepEqual(report, { kept: true, refused: [] });
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    const again = await completeRange(store, range, outcomes);
    assert.equal(again.kept, false);
    const [rest] = await claimRanges(store, leaseOf("b"), 9);
    assert.ok(rest && rest.range.fence > range.fence);
    const left = await store.readAudience(rest.range, 9);
    assert.deepEqual(
      left.map(({ target }) => target),
      [b.seq, c.seq],
    );
  });

  test("writes outcomes and removes the range, once", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const { seq, range } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(range);
    assert.deepEqual(
      await completeRange(store, range, [delivered(seq, target)]),
      { kept: true, refused: [] },
    );
    assert.equal(await hasRanges(store), false);
    const failed = delivered(seq, target, { state: "failed" });
    assert.deepEqual(await completeRange(store, range, [failed]), {
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
    await store.release([{ range }]);
    const nothing = { kept: false, refused: [] };
    assert.deepEqual(await completeRange(store, range, []), nothing);
    const [claimed] = await claimRanges(store, leaseOf("b"), 1);
    assert.ok(claimed && claimed.range.fence > range.fence);
    assert.deepEqual(await completeRange(store, range, []), nothing);
  });

  for (const late of ["under way", "waiting"] as const) {
    test(`leaves a delivery to the claim that was made since its range was read, which says ${late}`, async (store, clock) => {
      const topic = await addTopic(store);
      const [a] = await addSubscriptions(store, topic, 2);
      assert.ok(a);
      const lease = leaseOf("a", 60_000, 1);
      const message = messageTo(topic);
      const { seq, range } = await store.acceptMessage(message, lease);
      assert.ok(range);
      const nextAttemptAt = start;
      await completeRange(store, range, [
        delivered(seq, a.seq, { state: "retrying", nextAttemptAt }),
      ]);
      const [claim] = await claimDue(store, clock, leaseOf("b"), start, 1);
      const [rest] = await claimRanges(store, lease, 1);
      assert.ok(claim && rest);
      await completeRange(store, rest.range, [
        late === "under way"
          ? underWay(seq, a.seq, lease)
          : delivered(seq, a.seq, { state: "waiting", nextAttemptAt }),
      ]);
      assert.deepEqual(await countsOf(store, message), { sending: 1 });
      assert.equal(await nextDueAt(store, clock), undefined);
      const { fence } = claim;
      await recordOutcomes(store, [{ ...delivered(seq, a.seq), fence }]);
      assert.deepEqual(await countsOf(store, message), { delivered: 1 });
    });
  }

  test("counts a delivery that is written twice once, and lets its end stand", async (store, clock) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    const lease = leaseOf("a", 60_000, 2);
    const { seq, range } = await store.acceptMessage(message, lease);
    const [rest] = await claimRanges(store, leaseOf("b"), 1);
    assert.ok(range && rest);
    await completeRange(store, range, [
      delivered(seq, a.seq),
      delivered(seq, b.seq, { state: "retrying", nextAttemptAt: after(1) }),
      delivered(seq, c.seq, { state: "sent" }),
    ]);
    const ended = await store.findDelivery(seq, a.seq);
    await completeRange(store, rest.range, [
      delivered(seq, a.seq, { state: "failed", attempts: 2 }),
      delivered(seq, b.seq),
      delivered(seq, c.seq, { state: "waiting", nextAttemptAt: after(1) }),
    ]);
    assert.deepEqual(await countsOf(store, message), { delivered: 2, sent: 1 });
    assert.deepEqual(await store.findDelivery(seq, a.seq), ended);
    assert.equal(await nextDueAt(store, clock), undefined);
  });
}
