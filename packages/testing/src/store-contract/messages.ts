import assert from "node:assert/strict";
import type {
  DeliveryState,
  EpochMs,
  MessageFilter,
  MessageId,
  NewMessage,
  SubscriptionId,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  after,
  claimDue,
  claimRanges,
  completeRange,
  delivered,
  directMessage,
  fanOut,
  freshId,
  intend,
  leaseOf,
  messageTo,
  nextDueAt,
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
    const grant = {
      subscriptionId: freshId<SubscriptionId>(),
      generation: 3,
      expiresAt: after(1000),
    };
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
      messageTo(topic, { content: { kind: "confirmation", grant } }),
      messageTo(topic, {
        content: { kind: "confirmation", grant, byCode: true },
      }),
      messageTo(topic, { content: { kind: "unsubscription", grant } }),
      messageTo(topic, {
        timeToLiveSeconds: { sms: 60, email: 600 },
        notBefore: after(1000),
        class: "otp",
        tag: "orders.eu",
        relatedObjects: [
          { type: "order", id: "4711" },
          { type: "customer", id: "Zürich 🛎" },
          { type: "customer", id: "7" },
        ],
        sms: {
          sender: "ACME",
          provider: "twilio",
          validityMinutes: 5,
          allowReply: false,
          escalate: true,
          statusReport: false,
          params: { a: [1, { b: null }], "": "x" },
        },
        priority: 1,
        extraData: { a: [1, { b: null }], "": "x" },
        statusUrl: "https://example.com/outcomes?of=1",
      }),
      messageTo(topic, { extraData: {} }),
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
    const { seq } = await store.acceptDirectMessage(message, phones(2, true));
    assert.deepEqual(await store.findMessage(projectId, message.id), {
      message: { ...message, seq },
      fannedOut: true,
      counts: { waiting: 2 },
    });
  });

  test("finds a message only in its own project", async (store) => {
    const message = directMessage();
    await store.acceptDirectMessage(message, phones(1));
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
    );
    const list = async (page: { limit: number; before?: number }) => {
      const { messages } = await store.listMessages(projectId, {}, page);
      return messages.map((it) => it.message.seq);
    };
    const [first = 0, second = 0, third = 0] = seqs;
    assert.ok(first < second && second < third);
    assert.deepEqual(await list({ limit: 2 }), [third, second]);
    assert.deepEqual(await list({ limit: 9, before: second }), [first]);
    assert.deepEqual(await list({ limit: 9, before: first }), []);
  });

  test("lists a topic's messages, and those since an instant", async (store) => {
    const news = await addTopic(store);
    const alerts = await addTopic(store);
    const accept = async (topic: typeof news, createdAt: EpochMs) =>
      (await store.acceptMessage(messageTo(topic, { createdAt }), undefined))
        .seq;
    const a = await accept(news, after(1));
    const b = await accept(alerts, after(2));
    const c = await accept(news, after(3));
    await store.acceptDirectMessage(directMessage(), phones(1));
    const list = async (
      filter: MessageFilter,
      page: { limit: number; before?: number } = { limit: 9 },
    ) => {
      const found = await store.listMessages(projectId, filter, page);
      return found.messages.map((it) => it.message.seq);
    };
    assert.deepEqual(await list({ topicSeq: news.seq }), [c, a]);
    const behind = { limit: 9, before: c };
    assert.deepEqual(await list({ topicSeq: news.seq }, behind), [a]);
    assert.deepEqual(await list({ topicSeq: news.seq, since: after(3) }), [c]);
    assert.deepEqual(await list({ topicSeq: alerts.seq }), [b]);
    // The newest two are a text to a phone and one of another topic.
    const first = await store.listMessages(
      projectId,
      { topicSeq: alerts.seq },
      { limit: 9, maxScanned: 2 },
    );
    assert.deepEqual(first.messages, []);
    assert.ok(first.next);
    const last = await store.findMessage(projectId, first.next);
    assert.equal(last?.message.seq, c);
    const ofOther = { topicSeq: news.seq };
    assert.deepEqual(
      await store.listMessages(otherProjectId, ofOther, { limit: 9 }),
      { messages: [] },
    );
  });

  test("lists messages by tag and by what they are about", async (store) => {
    const topic = await addTopic(store);
    const order = (id: string) => ({ type: "order", id });
    const accept = async (changes: Partial<NewMessage>) =>
      (await store.acceptMessage(messageTo(topic, changes), undefined)).seq;
    const a = await accept({ tag: "eu", relatedObjects: [order("1")] });
    const b = await accept({ tag: "us", relatedObjects: [order("2")] });
    const c = await accept({
      tag: "eu",
      relatedObjects: [order("2"), order("1")],
    });
    const { seq: d } = await store.acceptDirectMessage(
      directMessage({ tag: "eu", relatedObjects: [order("1")] }),
      phones(1),
    );
    await accept({});
    await accept({
      projectId: otherProjectId,
      tag: "eu",
      relatedObjects: [order("1")],
    });
    const list = async (
      filter: MessageFilter,
      page: { limit: number; before?: number; maxScanned?: number } = {
        limit: 9,
      },
    ) => {
      const found = await store.listMessages(projectId, filter, page);
      return found.messages.map((it) => it.message.seq);
    };
    assert.deepEqual(await list({ tag: "eu" }), [d, c, a]);
    assert.deepEqual(await list({ tag: "none" }), []);
    assert.deepEqual(await list({ relatedObject: order("1") }), [d, c, a]);
    assert.deepEqual(await list({ relatedObject: order("2") }), [c, b]);
    const customer = { type: "customer", id: "1" };
    assert.deepEqual(await list({ relatedObject: customer }), []);
    const both = { tag: "us", relatedObject: order("2") };
    assert.deepEqual(await list(both), [b]);
    const ofTopic = { tag: "eu", topicSeq: topic.seq };
    assert.deepEqual(await list(ofTopic), [c, a]);
    const behind = { limit: 1, before: d };
    assert.deepEqual(await list({ tag: "eu" }, behind), [c]);
    assert.deepEqual(await list({ relatedObject: order("1") }, behind), [c]);
    // Only those that have the tag are looked at.
    assert.deepEqual(await list(ofTopic, { limit: 9, maxScanned: 2 }), [c]);
    assert.deepEqual(
      await list({ ...both, state: "failed" }, { limit: 9, maxScanned: 1 }),
      [],
    );
  });

  test("a message of later is due no sooner", async (store, clock) => {
    const message = directMessage({ notBefore: after(1000) });
    const { seq } = await store.acceptDirectMessage(message, phones(1, true));
    assert.equal(await nextDueAt(store, clock), after(1000));
    assert.deepEqual(
      await claimDue(store, clock, leaseOf("a"), after(999), 9),
      [],
    );
    const [claim] = await claimDue(store, clock, leaseOf("a"), after(1000), 9);
    assert.equal(claim?.messageSeq, seq);
  });

  test("each recipient costs money or not", async (store, clock) => {
    const [phone] = phones(1, true);
    assert.ok(phone);
    const webhook = {
      protocol: "https",
      endpoint: "https://example.com/hook",
      billable: false,
    } as const;
    await store.acceptDirectMessage(directMessage(), [phone, webhook]);
    const claims = await claimDue(store, clock, leaseOf("a"), start, 9);
    for (const claim of claims) assert.ok(await intend(store, claim));
    const { freed, interrupted } = await store.reclaimAll();
    assert.deepEqual([freed, interrupted], [1, 1]);
  });

  test("lists messages with a delivery in a state, page by page", async (store) => {
    const topic = await addTopic(store);
    const [a, b] = await addSubscriptions(store, topic, 2);
    assert.ok(a && b);
    const failed: number[] = [];
    for (let i = 0; i < 7; i++) {
      const state = i % 3 === 0 ? "failed" : "delivered";
      const seq = await fanOut(store, topic, (message) => [
        delivered(message, a.seq, { state }),
        delivered(message, b.seq),
      ]);
      if (state === "failed") failed.unshift(seq);
    }
    // Each page looks at few and says where it ended.
    const pages: number[][] = [];
    let before: number | undefined;
    do {
      const { messages, next } = await store.listMessages(
        projectId,
        { state: "failed" },
        { limit: 2, maxScanned: 2, ...(before !== undefined && { before }) },
      );
      pages.push(messages.map((it) => it.message.seq));
      before = next && (await store.findMessage(projectId, next))?.message.seq;
    } while (before !== undefined);
    const [first = 0, second = 0, third = 0] = failed;
    assert.deepEqual(pages, [[first], [second], [], [third]]);
    const list = async (state: DeliveryState, page: { limit: number }) =>
      (await store.listMessages(projectId, { state }, page)).messages.length;
    assert.equal(await list("failed", { limit: 2 }), 2);
    assert.equal(await list("delivered", { limit: 9 }), 7);
    assert.equal(await list("expired", { limit: 9 }), 0);
  });

  test("ends a list at what is older than the instant it begins with", async (store) => {
    const topic = await addTopic(store);
    for (let i = 0; i < 9; i++) {
      const message = messageTo(topic, { createdAt: after(i) });
      await store.acceptMessage(message, undefined);
    }
    const list = (limit: number) =>
      store.listMessages(
        projectId,
        { since: after(7) },
        { limit, maxScanned: 4 },
      );
    const all = await list(4);
    assert.equal(all.messages.length, 2);
    assert.equal(all.next, undefined);
    const one = await list(1);
    assert.equal(one.next, one.messages[0]?.message.id);
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
    assert.deepEqual(await store.listMessages(projectId, {}, { limit: 1 }), {
      messages: [report],
    });
  });

  test("says whether a message is fanned out", async (store) => {
    const topic = await addTopic(store);
    const message = messageTo(topic);
    await addSubscription(store, topic);
    const isFannedOut = async () =>
      (await store.findMessage(projectId, message.id))?.fannedOut;
    await store.acceptMessage(message, undefined);
    assert.equal(await isFannedOut(), false);
    const [work] = await claimRanges(store, leaseOf("a"), 1);
    assert.ok(work);
    assert.equal(await isFannedOut(), false);
    await completeRange(store, work.range, []);
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
    const { seq } = await store.acceptDirectMessage(directMessage(), phones(3));
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
      parts: [{ externalId: "x1" }],
      provider: "loopback",
      segments: 2,
    };
    const messageSeq = await fanOut(store, topic, (seq) => [
      delivered(seq, target, outcome),
    ]);
    const { lastAttempt: _, parts: _parts, ...rest } = outcome;
    const expected = {
      ...rest,
      externalId: "x1",
      parts: [
        { attempt: 1, entry: "loopback", externalId: "x1", state: "sent" },
      ],
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
    assert.ok(second);
    const { billable: _, ...recipient } = second;
    const { seq } = await store.acceptDirectMessage(directMessage(), phones(2));
    assert.deepEqual(await store.findDelivery(seq, 1), {
      ...recipient,
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
