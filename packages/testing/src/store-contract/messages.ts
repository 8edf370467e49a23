import assert from "node:assert/strict";
import type { MessageId, NewMessage } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  after,
  delivered,
  directMessage,
  fanOut,
  freshId,
  leaseOf,
  messageTo,
  otherProjectId,
  phones,
  projectId,
  start,
  statesOf,
  urnOf,
} from "./fixtures.ts";

export function testMessages({ test }: Cases): void {
  test("keeps a message as it was accepted", async (store) => {
    const topic = await addTopic(store, { introduction: "Hello" });
    const given: NewMessage[] = [
      messageTo(topic, {
        subject: "Order 4711",
        sealedBy: "key-1",
        timeToLiveSeconds: 60,
        attributes: [
          { name: "kind", type: "STRING", value: "order" },
          { name: "sizes", type: "STRING_ARRAY", value: ["s", "m"] },
        ],
      }),
      messageTo(topic, {
        content: { kind: "text", text: "Zürich 🛎\n\u0000" },
      }),
      messageTo(topic, {
        content: {
          kind: "structure",
          variants: { default: "Hello", sms: "Hi", email: "Good day" },
        },
      }),
      messageTo(topic, { content: { kind: "confirmation", token: "t1" } }),
      messageTo(topic, { content: { kind: "unsubscription", token: "t2" } }),
    ];
    for (const message of given) {
      const { seq } = await store.acceptMessage(message, undefined);
      const report = await store.findMessage(projectId, message.id);
      assert.deepEqual(report?.message, { ...message, seq });
      assert.deepEqual(await store.findMessageBySeq(seq), { ...message, seq });
    }
  });

  test("keeps a message to phone numbers", async (store) => {
    const message = directMessage();
    const { seq } = await store.acceptDirectMessage(message, phones(2), true);
    assert.deepEqual(await store.findMessage(projectId, message.id), {
      message: { ...message, seq },
      fannedOut: true,
      counts: { waiting: 2 },
    });
  });

  test("finds a message only in its own project", async (store) => {
    const message = directMessage();
    await store.acceptDirectMessage(message, phones(1), false);
    assert.equal(
      await store.findMessage(otherProjectId, message.id),
      undefined,
    );
    const unknown = freshId<MessageId>();
    assert.equal(await store.findMessage(projectId, unknown), undefined);
    assert.equal(await store.findMessageBySeq(4711), undefined);
  });

  test("gives messages growing numbers and lists the newest first", async (store) => {
    const topic = await addTopic(store);
    const seqs: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { seq } = await store.acceptMessage(messageTo(topic), undefined);
      seqs.push(seq);
    }
    await store.acceptDirectMessage(
      directMessage({ projectId: otherProjectId }),
      [],
      false,
    );
    const list = async (page: { limit: number; before?: number }) =>
      (await store.listMessages(projectId, page)).map((it) => it.message.seq);
    const [first = 0, second = 0, third = 0] = seqs;
    assert.ok(first < second && second < third);
    assert.deepEqual(await list({ limit: 2 }), [third, second]);
    assert.deepEqual(await list({ limit: 9, before: second }), [first]);
    assert.deepEqual(await list({ limit: 9, before: first }), []);
  });

  test("counts the deliveries of a message by state", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const message = messageTo(topic);
    await fanOut(
      store,
      topic,
      (seq) => [
        delivered(seq, a.seq),
        delivered(seq, b.seq),
        delivered(seq, c.seq, { state: "retrying", nextAttemptAt: after(1) }),
      ],
      message,
    );
    const report = await store.findMessage(projectId, message.id);
    assert.deepEqual(report?.counts, { delivered: 2, retrying: 1 });
    assert.deepEqual(await store.listMessages(projectId, { limit: 1 }), [
      report,
    ]);
  });

  test("says whether a message is fanned out", async (store) => {
    const topic = await addTopic(store);
    const message = messageTo(topic);
    await addSubscription(store, topic);
    const isFannedOut = async () =>
      (await store.findMessage(projectId, message.id))?.fannedOut;
    await store.acceptMessage(message, undefined);
    assert.equal(await isFannedOut(), false);
    const [work] = await store.claimChunks(leaseOf("a"), 1);
    assert.ok(work);
    assert.equal(await isFannedOut(), false);
    await store.completeChunk(work.chunk, []);
    assert.equal(await isFannedOut(), true);
  });

  test("lists deliveries in the order of targets", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c] = await addSubscriptions(store, topic, 3);
    assert.ok(a && b && c);
    const seq = await fanOut(store, topic, (message) => [
      delivered(message, c.seq),
      delivered(message, a.seq),
      delivered(message, b.seq, { state: "failed" }),
    ]);
    const list = async (page: Parameters<typeof store.listDeliveries>[1]) =>
      (await store.listDeliveries(seq, page)).map(({ target }) => target);
    assert.deepEqual(await list({ limit: 2 }), [a.seq, b.seq]);
    assert.deepEqual(await list({ limit: 9, after: a.seq }), [b.seq, c.seq]);
    assert.deepEqual(await list({ limit: 9, state: "delivered" }), [
      a.seq,
      c.seq,
    ]);
    assert.deepEqual(await list({ limit: 9, state: "failed" }), [b.seq]);
    assert.deepEqual(
      await list({ limit: 9, state: "failed", after: b.seq }),
      [],
    );
    assert.deepEqual(await list({ limit: 9, state: "sent" }), []);
  });

  test("lists direct deliveries from the first recipient on", async (store) => {
    const { seq } = await store.acceptDirectMessage(
      directMessage(),
      phones(3),
      false,
    );
    const list = async (page: { limit: number; after?: number }) =>
      (await store.listDeliveries(seq, page)).map(({ target }) => target);
    assert.deepEqual(await list({ limit: 9 }), [0, 1, 2]);
    assert.deepEqual(await list({ limit: 1, after: 0 }), [1]);
  });

  test("tells all of a delivery", async (store) => {
    const topic = await addTopic(store);
    const { seq: target, id, endpoint } = await addSubscription(store, topic);
    const lastAttempt = {
      at: start,
      durationMs: 7,
      statusCode: 503,
      errorClass: "http_status" as const,
      error: "503 Service Unavailable",
      provider: "loopback",
    };
    const outcome = {
      state: "retrying" as const,
      lastAttempt,
      nextAttemptAt: after(5000),
      externalId: "x1",
      provider: "loopback",
      segments: 2,
    };
    const messageSeq = await fanOut(store, topic, (seq) => [
      delivered(seq, target, outcome),
    ]);
    const { lastAttempt: _, ...rest } = outcome;
    const expected = {
      ...rest,
      messageSeq,
      target,
      protocol: "https",
      endpoint,
      subscriptionUrn: `${urnOf(topic)}:${id}`,
      attemptCount: 1,
      attempts: [lastAttempt],
    };
    assert.deepEqual(await store.findDelivery(messageSeq, target), expected);
    assert.deepEqual(await store.listDeliveries(messageSeq, { limit: 1 }), [
      expected,
    ]);
    assert.equal(await store.findDelivery(messageSeq, target + 1), undefined);
    assert.equal(await store.findDelivery(messageSeq + 1, target), undefined);
  });

  test("tells a direct delivery's endpoint and no subscription", async (store) => {
    // A subscription whose number is the recipient's index is not its.
    await addSubscriptions(store, await addTopic(store), 2);
    const [first, second] = phones(2);
    const { seq } = await store.acceptDirectMessage(
      directMessage(),
      phones(2),
      false,
    );
    assert.deepEqual(await store.findDelivery(seq, 1), {
      ...second,
      messageSeq: seq,
      target: 1,
      state: "waiting",
      attemptCount: 0,
      attempts: [],
      nextAttemptAt: start,
    });
    const delivery = await store.findDelivery(seq, 0);
    assert.equal(delivery?.endpoint, first?.endpoint);
  });

  test("shows deliveries after subscription and topic are gone", async (store) => {
    const topic = await addTopic(store);
    const { seq, id, endpoint } = await addSubscription(store, topic);
    const messageSeq = await fanOut(store, topic, (message) => [
      delivered(message, seq),
    ]);
    await store.deleteSubscription(projectId, topic.name, id, start);
    await store.deleteTopic(projectId, topic.name, start);
    const delivery = await store.findDelivery(messageSeq, seq);
    assert.equal(delivery?.endpoint, endpoint);
    assert.equal(delivery?.subscriptionUrn, `${urnOf(topic)}:${id}`);
    assert.deepEqual(await statesOf(store, messageSeq), ["delivered"]);
  });
}
