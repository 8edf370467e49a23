import assert from "node:assert/strict";
import type { DeliveryFilter, EpochMs, Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { ada, newJob, order, workOff } from "./delivery-actions.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  claimRanges,
  countsOf,
  delivered,
  directMessage,
  leaseOf,
  messageTo,
  phones,
  projectId,
  start,
} from "./fixtures.ts";

/** Cancellations of whole messages. */
export function testMessageCancellation({ test }: Cases): void {
  const states = ["waiting", "retrying"] as const;
  const cancel = (store: Store, filter: Partial<DeliveryFilter>) =>
    store.createJob(
      newJob({
        action: "cancel",
        filter: { states, ...filter },
        createdAt: after(500),
      }),
      100,
    );

  test("a message that is not fanned out goes to nobody once it is cancelled", async (store, clock) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 3);
    const message = messageTo(topic, { notBefore: after(10_000) });
    const { seq: messageSeq } = await store.acceptMessage(message, undefined);
    const step = { from: undefined, to: undefined, maxMessages: 100 };
    const count = (filter: Partial<DeliveryFilter>) =>
      store.countOpenMessages(projectId, { states, ...filter }, step);
    assert.equal(await count({ messageSeq }), 1);
    assert.equal(await count({ topicSeq: topic.seq }), 1);
    assert.equal(await count({ topicSeq: topic.seq + 1 }), 0);
    assert.equal(await count({ since: after(1) }), 0);
    assert.equal(await count({ until: start }), 0);

    const job = await cancel(store, { messageSeq });
    assert.equal(job.messages, 1);
    const report = await store.findMessage(projectId, message.id);
    assert.deepEqual(report?.cancellation, {
      at: after(500),
      ...ada,
      reason: "carrier is back",
      jobId: job.id,
    });
    assert.equal(report?.fannedOut, true);
    assert.deepEqual(report?.counts, {});
    const [listed] = (await store.listMessages(projectId, {}, { limit: 1 }))
      .messages;
    assert.equal(listed?.cancellation?.jobId, job.id);
    assert.equal(await count({}), 0);
    clock.advance(20_000);
    assert.deepEqual(await claimRanges(store, leaseOf("a"), 10), []);
    const ended = await workOff(store, job.id);
    assert.deepEqual(
      [ended?.state, ended?.messages, ended?.done],
      ["done", 1, 0],
    );
  });

  test("of a range that is held its outcomes are kept, and no rest is left", async (store, clock) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    const lease = leaseOf("a");
    const { seq: messageSeq, range } = await store.acceptMessage(
      message,
      lease,
    );
    assert.ok(range);
    await cancel(store, { messageSeq });
    const report = await store.finish({
      range,
      outcomes: [
        delivered(messageSeq, a.seq),
        delivered(messageSeq, b.seq, {
          state: "retrying",
          nextAttemptAt: after(2000),
        }),
      ],
      uptoTarget: b.seq,
    });
    assert.equal(report.kept, true);
    assert.deepEqual(await claimRanges(store, leaseOf("b"), 10), []);
    assert.equal(
      (await store.findMessage(projectId, message.id))?.fannedOut,
      true,
    );
    // What becomes due is cancelled as it is claimed.
    const due = await claimDue(store, clock, leaseOf("b"), after(2000), 10);
    assert.deepEqual(due, []);
    assert.deepEqual(await countsOf(store, message), {
      delivered: 1,
      cancelled: 1,
    });
    const resend = await store.actOnDelivery(
      { messageSeq, target: b.seq },
      order("resend", 3000),
      ada,
    );
    assert.equal(resend?.refused, "unwanted");
  });

  test("what an engine that died held of it is not taken over", async (store, clock) => {
    const topic = await addTopic(store);
    await addSubscriptions(store, topic, 2);
    const message = messageTo(topic);
    const lease = leaseOf("a", 1000);
    const { seq: messageSeq } = await store.acceptMessage(message, lease);
    await cancel(store, { messageSeq });
    clock.advance(2000);
    await store.reclaim();
    assert.deepEqual(await claimRanges(store, leaseOf("b"), 10), []);
    assert.deepEqual(await countsOf(store, message), {});
    // Nothing is left that would be asked for again.
    assert.equal(
      (await store.claim(leaseOf("b"), { kinds: ["range"], limit: 10 }))
        .mayHaveMore,
      false,
    );
  });

  test("its next topic has no turn", async (store) => {
    const topics = [await addTopic(store), await addTopic(store)];
    for (const topic of topics) await addSubscription(store, topic);
    const [first] = topics;
    assert.ok(first);
    const { topic: _, ...rest } = messageTo(first);
    const message = {
      ...rest,
      audience: "topics" as const,
      topics: topics.map(({ seq, name, displayName, introduction }) => ({
        seq,
        urn: `urn:smn:local:${projectId}:${name}`,
        name,
        displayName,
        introduction,
      })),
    };
    const { seq: messageSeq, range } = await store.acceptMessage(
      message,
      leaseOf("a"),
    );
    assert.ok(range);
    await cancel(store, { messageSeq });
    await store.finish({ range, outcomes: [] });
    assert.deepEqual(await claimRanges(store, leaseOf("b"), 10), []);
  });

  test("a job cancels the messages that it comes past, in steps of any size", async (store, clock) => {
    const topic = await addTopic(store);
    const other = await addTopic(store);
    for (const it of [topic, other]) await addSubscription(store, it);
    const accept = (it: typeof topic, notBefore?: EpochMs) =>
      store.acceptMessage(
        messageTo(it, { ...(notBefore !== undefined && { notBefore }) }),
        undefined,
      );
    const cancelled = [
      await accept(topic, after(9000)),
      await accept(topic),
      await accept(topic, after(9000)),
    ].map(({ seq }) => seq);
    const untouched = await accept(other, after(9000));
    const filter = { states, topicSeq: topic.seq };
    const limits = { maxMessages: 1, maxDeliveries: 1 };
    let counted = 0;
    let from: Parameters<Store["countDeliveries"]>[2];
    do {
      const { next: to } = await store.countDeliveries(
        projectId,
        filter,
        from,
        limits,
      );
      const step = { from, to, maxMessages: 1 };
      counted += await store.countOpenMessages(projectId, filter, step);
      from = to;
    } while (from);
    assert.equal(counted, cancelled.length);
    const job = await cancel(store, { topicSeq: topic.seq });
    assert.equal(job.messages, 0);
    const later = await accept(topic, after(9000));
    const ended = await workOff(store, job.id);
    assert.deepEqual(
      [ended?.state, ended?.messages],
      ["done", cancelled.length],
    );
    clock.advance(10_000);
    const claimed = await claimRanges(store, leaseOf("a"), 10);
    assert.deepEqual(
      claimed.map(({ message }) => message.seq).toSorted((a, b) => a - b),
      [untouched.seq, later.seq].toSorted((a, b) => a - b),
    );
  });

  test("a job for some of the deliveries leaves messages alone", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic, { notBefore: after(9000) });
    const { seq: messageSeq } = await store.acceptMessage(message, undefined);
    for (const filter of [
      { messageSeq, protocol: "https" },
      { messageSeq, states: ["retrying"] as const },
    ]) {
      const job = await cancel(store, filter);
      assert.equal((await workOff(store, job.id))?.messages, 0);
    }
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.cancellation, undefined);
    assert.equal(report?.fannedOut, false);
  });

  test("what waits of a direct message is cancelled", async (store, clock) => {
    const message = directMessage({ notBefore: after(9000) });
    const { seq: messageSeq } = await store.acceptDirectMessage(
      message,
      phones(3, true),
    );
    const job = await cancel(store, { messageSeq });
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.cancellation?.userName, "ada");
    assert.equal((await workOff(store, job.id))?.changed, 3);
    assert.deepEqual(await countsOf(store, message), { cancelled: 3 });
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("a"), after(9000), 9),
      [],
    );
  });
}
