import assert from "node:assert/strict";
import type { DeliveryFilter, EpochMs, Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { ada, newJob, workOff } from "./delivery-actions.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  claimRanges,
  countsOf,
  directMessage,
  leaseOf,
  messageTo,
  phones,
  projectId,
  start,
} from "./fixtures.ts";

const states = ["waiting", "retrying"] as const;

/** Cancels a whole message, whatever there is of it. */
export async function cancelMessage(
  store: Store,
  messageSeq: number,
  quota = 100,
) {
  const job = newJob({
    action: "cancel",
    filter: { states, messageSeq },
    cancelledMessage: messageSeq,
    createdAt: after(500),
  });
  return await store.createJob(job, quota);
}

/** Cancellations of whole messages. */
export function testMessageCancellation({ test }: Cases): void {
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

    const job = await cancelMessage(store, messageSeq);
    assert.equal(job.messages, 1);
    assert.equal((await store.findJob(projectId, job.id))?.messages, 1);
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

  test("its next topic has no turn", async (store) => {
    const { message } = await toSeveral(store);
    const { seq: messageSeq, range } = await store.acceptMessage(
      message,
      leaseOf("a"),
    );
    assert.ok(range);
    await cancelMessage(store, messageSeq);
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

  test("a job for a message cancels it as a whole only if its filter finds it", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic, { notBefore: after(9000) });
    const { seq: messageSeq } = await store.acceptMessage(message, undefined);
    const step = { from: undefined, to: undefined, maxMessages: 100 };
    const run = async (filter: Partial<DeliveryFilter>) => {
      const wanted = { states, messageSeq, ...filter };
      const found = await store.countOpenMessages(projectId, wanted, step);
      const job = await cancel(store, wanted);
      assert.equal(job.messages, 0);
      const ended = await workOff(store, job.id);
      assert.equal(ended?.messages, found);
      const report = await store.findMessage(projectId, message.id);
      return report?.cancellation !== undefined;
    };
    assert.equal(await run({ topicSeq: topic.seq + 1 }), false);
    assert.equal(await run({ until: start }), false);
    assert.equal(await run({ since: after(1) }), false);
    assert.equal(await run({ topicSeq: topic.seq, until: after(1) }), true);
  });

  test("a job for a message that is fanned out does not mark it", async (store) => {
    const message = directMessage({ notBefore: after(9000) });
    const { seq: messageSeq } = await store.acceptDirectMessage(
      message,
      phones(2),
    );
    const job = await cancel(store, { messageSeq });
    assert.equal((await workOff(store, job.id))?.changed, 2);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.cancellation, undefined);
  });

  test("a job for one of several topics leaves the message alone", async (store) => {
    const { topics, message } = await toSeveral(store);
    const { seq: messageSeq } = await store.acceptMessage(message, undefined);
    const job = await cancel(store, { messageSeq, topicSeq: topics[0].seq });
    assert.equal((await workOff(store, job.id))?.messages, 0);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.cancellation, undefined);
  });

  test("of two who cancel a message at once the first one does", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic, { notBefore: after(9000) });
    const { seq: messageSeq } = await store.acceptMessage(message, undefined);
    const answers = await Promise.allSettled([
      cancelMessage(store, messageSeq),
      cancelMessage(store, messageSeq),
    ]);
    assert.deepEqual(
      answers.map((it) =>
        it.status === "rejected" ? it.reason.code : it.value.messages,
      ),
      [1, "MESSAGE_STATE_CONFLICT"],
    );
    const made = await store.listJobs(projectId, { limit: 10 });
    assert.equal(made.length, 1);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.cancellation?.jobId, made[0]?.id);
  });

  test("its quota is not that of other jobs", async (store) => {
    const seqs: number[] = [];
    for (let n = 0; n < 3; n++) {
      const message = directMessage({ notBefore: after(9000) });
      seqs.push((await store.acceptDirectMessage(message, phones(1))).seq);
    }
    const [first = 0, second = 0, third = 0] = seqs;
    const refused = { code: "JOB_QUOTA_EXCEEDED" };
    await cancelMessage(store, first, 2);
    await cancelMessage(store, second, 2);
    await store.createJob(newJob(), 1);
    await assert.rejects(store.createJob(newJob(), 1), refused);
    await assert.rejects(cancelMessage(store, third, 2), refused);
    await cancelMessage(store, third, 3);
  });

  test("a job for some of the deliveries leaves messages alone", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const message = messageTo(topic, { notBefore: after(9000) });
    const { seq: messageSeq } = await store.acceptMessage(message, undefined);
    for (const filter of [
      { messageSeq, protocol: "https" },
      { messageSeq, states: ["retrying"] as const },
      { messageSeq, states: ["waiting"] as const },
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
    const job = await cancelMessage(store, messageSeq);
    const report = await store.findMessage(projectId, message.id);
    assert.equal(report?.cancellation?.userName, "ada");
    assert.equal(job.messages, 0);
    assert.equal((await workOff(store, job.id))?.changed, 3);
    assert.deepEqual(await countsOf(store, message), { cancelled: 3 });
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("a"), after(9000), 9),
      [],
    );
  });
}

/** A message to two topics, each with a subscriber. */
async function toSeveral(store: Store) {
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
  return { topics: [first, ...topics.slice(1)] as const, message };
}
