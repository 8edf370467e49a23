import assert from "node:assert/strict";
import { type Chunk, subscriptionStatus } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  countsOf,
  delivered,
  leaseOf,
  messageTo,
  projectId,
  start,
} from "./fixtures.ts";

export function testFanOut({ test }: Cases): void {
  test("answers an accepted message's first chunk claimed", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const lease = leaseOf("a", start + 10);
    const { seq, chunk } = await store.acceptMessage(messageTo(topic), lease);
    assert.deepEqual(chunk, {
      messageSeq: seq,
      afterTarget: 0,
      uptoTarget: undefined,
      fence: 1,
    });
    assert.equal(await store.hasUnclaimedChunks(start + 9), false);
    assert.equal(await store.hasUnclaimedChunks(start + 10), true);
  });

  test("leaves the chunk to others when no lease is given", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic);
    const { seq, chunk } = await store.acceptMessage(message, undefined);
    assert.equal(chunk, undefined);
    assert.equal(await store.hasUnclaimedChunks(start), true);
    assert.deepEqual(await store.claimChunks(leaseOf("a"), start, 10), [
      {
        chunk: {
          messageSeq: seq,
          afterTarget: 0,
          uptoTarget: undefined,
          fence: 1,
        },
        message: { ...message, seq },
      },
    ]);
  });

  test("has no chunk for a topic without active subscriptions", async (store) => {
    const topic = await addTopic(store);
    await addUnconfirmed(store, topic, "t1");
    const { id } = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, id, start);
    const message = messageTo(topic);
    const { chunk } = await store.acceptMessage(message, leaseOf("a"));
    assert.equal(chunk, undefined);
    assert.equal(await store.hasUnclaimedChunks(start), false);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.fannedOut, true);
    assert.deepEqual(report?.counts, {});
  });

  test("claims what nobody holds, oldest message first", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const accept = async (until?: number) =>
      (
        await store.acceptMessage(
          messageTo(topic),
          until === undefined ? undefined : leaseOf("a", until),
        )
      ).seq;
    const first = await accept();
    await accept(start + 100);
    const expired = await accept(start + 10);
    const last = await accept();
    const claim = async (limit: number) =>
      (await store.claimChunks(leaseOf("b"), start + 10, limit)).map(
        ({ chunk }) => [chunk.messageSeq, chunk.fence],
      );
    assert.deepEqual(await claim(2), [
      [first, 1],
      [expired, 2],
    ]);
    assert.deepEqual(await claim(2), [[last, 1]]);
    assert.deepEqual(await claim(2), []);
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
    const { seq, chunk } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(chunk);
    const audience = await store.readAudience(chunk, 10);
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
    await store.completeChunk(chunk, [
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
    await addUnconfirmed(store, topic, "t1");
    await addSubscription(store, await addTopic(store));
    const b = await addSubscription(store, topic, {
      status: subscriptionStatus.confirmationNotNeeded,
      protocol: "email",
      endpoint: "ops@example.com",
    });
    const gone = await addSubscription(store, topic);
    await store.deleteSubscription(projectId, topic.name, gone.id, start);
    const c = await addSubscription(store, topic);
    const { chunk } = await store.acceptMessage(messageTo(topic), leaseOf("a"));
    assert.ok(chunk);
    assert.deepEqual(await store.readAudience(chunk, 2), [
      {
        target: a.seq,
        protocol: "https",
        endpoint: a.endpoint,
        subscriptionId: a.id,
        extension: { header: { "x-key": "1" } },
      },
      {
        target: b.seq,
        protocol: "email",
        endpoint: "ops@example.com",
        subscriptionId: b.id,
      },
    ]);
    const targets = async (part: Partial<Chunk>) =>
      (await store.readAudience({ ...chunk, ...part }, 10)).map(
        ({ target }) => target,
      );
    assert.deepEqual(await targets({}), [a.seq, b.seq, c.seq]);
    assert.deepEqual(await targets({ afterTarget: a.seq }), [b.seq, c.seq]);
    assert.deepEqual(await targets({ uptoTarget: b.seq }), [a.seq, b.seq]);
    assert.deepEqual(await targets({ afterTarget: c.seq }), []);
  });

  test("cuts an open chunk; the rest is held when a lease is given", async (store) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b);
    const lease = leaseOf("a", start + 10);
    const { seq, chunk } = await store.acceptMessage(messageTo(topic), lease);
    assert.ok(chunk);
    const parts = await store.splitChunk(chunk, a.seq, lease);
    assert.deepEqual(parts, {
      chunk: { ...chunk, uptoTarget: a.seq },
      rest: {
        messageSeq: seq,
        afterTarget: a.seq,
        uptoTarget: undefined,
        fence: parts?.rest.fence,
      },
    });
    assert.equal(await store.hasUnclaimedChunks(start), false);
    assert.ok(await store.splitChunk(parts.rest, b.seq, undefined));
    assert.equal(await store.hasUnclaimedChunks(start), true);
    const claimed = await store.claimChunks(leaseOf("b"), start, 10);
    assert.deepEqual(
      claimed.map(({ chunk }) => [chunk.afterTarget, chunk.uptoTarget]),
      [[b.seq, undefined]],
    );
  });

  test("cuts neither a closed chunk nor behind its end or start", async (store) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const lease = leaseOf("a");
    const { chunk } = await store.acceptMessage(messageTo(topic), lease);
    assert.ok(chunk);
    assert.equal(await store.splitChunk(chunk, 0, lease), undefined);
    const parts = await store.splitChunk(chunk, b.seq, lease);
    assert.ok(parts);
    assert.equal(await store.splitChunk(parts.chunk, a.seq, lease), undefined);
    assert.equal(await store.splitChunk(parts.rest, a.seq, lease), undefined);
  });

  test("writes outcomes and removes the chunk, once", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const { seq, chunk } = await store.acceptMessage(message, leaseOf("a"));
    assert.ok(chunk);
    assert.ok(await store.completeChunk(chunk, [delivered(seq, target)]));
    assert.equal(await store.hasUnclaimedChunks(start + 1e9), false);
    const failed = delivered(seq, target, { state: "failed" });
    assert.equal(await store.completeChunk(chunk, [failed]), false);
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("refuses every write of who lost the lease", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const lease = leaseOf("a", start + 10);
    const { seq, chunk: lost } = await store.acceptMessage(message, lease);
    assert.ok(lost);
    const [taken] = await store.claimChunks(leaseOf("b"), start + 10, 1);
    assert.ok(taken);
    const outcomes = [delivered(seq, target)];
    assert.equal(await store.completeChunk(lost, outcomes), false);
    assert.equal(await store.splitChunk(lost, target, lease), undefined);
    await store.releaseChunk(lost);
    assert.equal(await store.hasUnclaimedChunks(start + 10), false);
    assert.deepEqual(await countsOf(store, message), {});
    assert.ok(await store.completeChunk(taken.chunk, outcomes));
    assert.deepEqual(await countsOf(store, message), { delivered: 1 });
  });

  test("gives a chunk back unworked", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const { chunk } = await store.acceptMessage(messageTo(topic), leaseOf("a"));
    assert.ok(chunk);
    await store.releaseChunk(chunk);
    const [claimed] = await store.claimChunks(leaseOf("b"), start, 1);
    assert.ok(claimed && claimed.chunk.fence > chunk.fence);
  });

  test("extends the leases of their owner only", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const accept = async (owner: string) =>
      (await store.acceptMessage(messageTo(topic), leaseOf(owner, start + 10)))
        .seq;
    await accept("a");
    const others = await accept("b");
    await store.extendLeases(leaseOf("a", start + 20));
    const claim = async (now: number) =>
      (await store.claimChunks(leaseOf("c"), now, 9)).map(
        ({ chunk }) => chunk.messageSeq,
      );
    assert.deepEqual(await claim(start + 10), [others]);
    assert.equal((await claim(start + 20)).length, 1);
  });

  test("counts a delivery that is written twice once, and lets its end stand", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    const lease = leaseOf("a");
    const { seq, chunk } = await store.acceptMessage(message, lease);
    assert.ok(chunk);
    const parts = await store.splitChunk(chunk, c.seq, lease);
    assert.ok(parts);
    await store.completeChunk(parts.chunk, [
      delivered(seq, a.seq),
      delivered(seq, b.seq, { state: "retrying", nextAttemptAt: start + 1 }),
      delivered(seq, c.seq, { state: "sent" }),
    ]);
    const ended = await store.findDelivery(seq, a.seq);
    await store.completeChunk(parts.rest, [
      delivered(seq, a.seq, { state: "failed", attempts: 2 }),
      delivered(seq, b.seq),
      delivered(seq, c.seq, { state: "waiting", nextAttemptAt: start + 1 }),
    ]);
    assert.deepEqual(await countsOf(store, message), { delivered: 2, sent: 1 });
    assert.deepEqual(await store.findDelivery(seq, a.seq), ended);
    assert.equal(await store.nextDueAt(), undefined);
  });

  test("drops the chunks of a deleted topic", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const message = messageTo(topic);
    const { seq, chunk } = await store.acceptMessage(message, leaseOf("a"));
    await store.acceptMessage(messageTo(topic), undefined);
    assert.ok(chunk);
    await store.deleteTopic(projectId, topic.name, start);
    assert.equal(await store.hasUnclaimedChunks(start + 1e9), false);
    const outcomes = [delivered(seq, target)];
    assert.equal(await store.completeChunk(chunk, outcomes), false);
    assert.deepEqual(await countsOf(store, message), {});
  });

  test("frees all chunks when it starts anew", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const { chunk } = await store.acceptMessage(messageTo(topic), leaseOf("a"));
    assert.ok(chunk);
    await store.releaseAllLeases(start);
    const [claimed] = await store.claimChunks(leaseOf("b"), start, 1);
    assert.ok(claimed && claimed.chunk.fence > chunk.fence);
    assert.equal(await store.completeChunk(chunk, []), false);
  });
}
