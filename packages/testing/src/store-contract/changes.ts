import assert from "node:assert/strict";
import {
  type ChangeBatch,
  type DeliveryAction,
  type FeedPosition,
  lateOutcomesMs,
  listRuns,
  type NewInboundMessage,
  type NewMessage,
  type Store,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addSubscription,
  addSubscriptions,
  addTopic,
  addUnconfirmed,
  after,
  claimDue,
  claimOne,
  countsOf,
  delivered,
  directMessage,
  fanOut,
  freshId,
  leaseOf,
  mailOf,
  messageTo,
  noQuota,
  otherProjectId,
  phones,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

export function testChanges({ test }: Cases): void {
  test("tells each delivery of a fan-out by the state it came to", async (store) => {
    const topic = await addTopic(store);
    const [a, b, c, d] = await addSubscriptions(store, topic, 4);
    assert.ok(a && b && c && d);
    const from = await store.readLatestPosition();
    const seq = await fanOut(store, topic, (messageSeq) => [
      delivered(messageSeq, b.seq),
      delivered(messageSeq, a.seq),
      delivered(messageSeq, c.seq, { state: "filtered", attempts: 0 }),
      delivered(messageSeq, d.seq, {
        state: "retrying",
        nextAttemptAt: after(1000),
      }),
    ]);
    const told = await deliveriesOf(store, from);
    assert.deepEqual(
      told.sort(),
      [
        [seq, a.seq, "delivered"],
        [seq, b.seq, "delivered"],
        [seq, c.seq, "filtered"],
      ].map((it) => it.join(" ")),
    );
  });

  test("tells nothing of what waits, is claimed or postponed", async (store, clock) => {
    const from = await store.readLatestPosition();
    const { claim } = await claimOne(store, clock);
    await recordOutcomes(store, [
      {
        ...delivered(claim.messageSeq, 0, { state: "retrying" }),
        nextAttemptAt: after(10),
        fence: claim.fence,
      },
    ]);
    assert.deepEqual(await read(store, from), []);
    assert.equal(await store.readLatestPosition(), from);
  });

  test("tells each step of a delivery, in order, and each step once", async (store, clock) => {
    const from = await store.readLatestPosition();
    const { claim } = await claimOne(store, clock, { billable: true });
    const outcome = {
      ...delivered(claim.messageSeq, 0, { state: "sent", provider: "p" }),
      parts: [{ externalId: "x1" }],
      fence: claim.fence,
    };
    await recordOutcomes(store, [outcome]);
    await recordOutcomes(store, [outcome]);
    const receipt = { entry: "p", externalId: "x1", at: after(5) } as const;
    await store.recordReceipt({ ...receipt, event: "deliver" });
    await store.recordReceipt({ ...receipt, event: "fail" });
    const seq = claim.messageSeq;
    assert.deepEqual(await deliveriesOf(store, from), [
      `${seq} 0 sent`,
      `${seq} 0 delivered`,
    ]);
  });

  test("tells what an early receipt says in place of the outcome", async (store, clock) => {
    const from = await store.readLatestPosition();
    const { claim } = await claimOne(store, clock);
    await store.recordReceipt({
      entry: "p",
      externalId: "x1",
      event: "fail",
      at: start,
    });
    await recordOutcomes(store, [
      {
        ...delivered(claim.messageSeq, 0, { state: "sent" }),
        provider: "p",
        parts: [{ externalId: "x1" }],
        fence: claim.fence,
      },
    ]);
    assert.deepEqual(await deliveriesOf(store, from), [
      `${claim.messageSeq} 0 failed`,
    ]);
  });

  test("tells what an interrupted or unwanted delivery came to", async (store, clock) => {
    const from = await store.readLatestPosition();
    const { claim } = await claimOne(store, clock, { billable: true });
    await store.reclaimAll();
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const waiting = await fanOut(store, topic, (messageSeq) => [
      delivered(messageSeq, target, {
        state: "retrying",
        nextAttemptAt: after(1000),
      }),
    ]);
    await store.deleteTopic(projectId, topic.name, after(2));
    assert.deepEqual(await deliveriesOf(store, from), [
      `${claim.messageSeq} 0 unknown`,
      `${waiting} ${target} cancelled`,
    ]);
  });

  test("tells of texts from phones once, and of subscriptions", async (store) => {
    const from = await store.readLatestPosition();
    const text: NewInboundMessage = {
      id: freshId(),
      projectId,
      provider: "p",
      externalId: "x1",
      from: "+4915112345678",
      text: "STOP",
      receivedAt: start,
    };
    await store.acceptInbound(text, undefined);
    await store.acceptInbound({ ...text, id: freshId() }, undefined);
    const topic = await addTopic(store);
    const subscription = await addUnconfirmed(store, topic);
    await store.confirmSubscription(subscription.id, 0);
    await store.confirmSubscription(subscription.id, 0);
    const notice = () => mailOf(topic, "unsubscription");
    await store.cancelSubscription(subscription.id, notice);
    await store.cancelSubscription(subscription.id, notice);
    const about = {
      topicName: topic.name,
      subscriptionId: subscription.id,
      protocol: subscription.protocol,
      endpoint: subscription.endpoint,
    };
    const kind = "occurrence";
    assert.deepEqual(
      (await read(store, from)).flatMap(({ changes }) => changes),
      [
        {
          kind,
          type: "inbound.received",
          projectId,
          about: {
            inboundId: text.id,
            provider: text.provider,
            externalId: "x1",
            from: text.from,
            text: text.text,
            receivedAt: new Date(text.receivedAt).toISOString(),
          },
        },
        { kind, type: "subscription.confirmed", projectId, about },
        { kind, type: "subscription.cancelled", projectId, about },
      ],
    );
  });

  test("tells all of a text from a phone, and the topic that it is published to", async (store) => {
    const topic = await addTopic(store);
    const from = await store.readLatestPosition();
    const notification = messageTo(topic);
    const text = inboundText({
      externalId: "x1",
      to: "+4915100000000",
      text: "YES 🛎",
      keyword: "YES",
      messageId: notification.id,
    });
    await store.acceptInbound(text, notification);
    const { id, projectId: _, receivedAt, ...facts } = text;
    assert.deepEqual(await occurrencesOf(store, from), [
      {
        kind: "occurrence",
        type: "inbound.received",
        projectId,
        about: {
          ...facts,
          inboundId: id,
          receivedAt: new Date(receivedAt).toISOString(),
          topicUrn: notification.topic?.urn,
        },
      },
    ]);
  });

  test("tells a reply to the last text to the phone that has a status URL, while it may", async (store) => {
    const phone = "+4915112345678";
    const statusUrl = "https://example.com/status";
    const send = async (
      options: Partial<NewMessage>,
      protocol = "sms",
      endpoint = phone,
    ) => {
      const message = directMessage({ expiresAt: after(1000), ...options });
      const to = { protocol, endpoint, billable: protocol === "sms" };
      const { seq } = await store.acceptDirectMessage(message, [to]);
      return { seq, id: message.id };
    };
    const replyAt = async (ms: number, by: Partial<NewInboundMessage> = {}) => {
      const from = await store.readLatestPosition();
      const text = inboundText({ from: phone, receivedAt: after(ms), ...by });
      await store.acceptInbound(text, undefined);
      const [told] = await occurrencesOf(store, from);
      assert.ok(told?.kind === "occurrence");
      const { inReplyTo: id } = told.about;
      return told.ofMessage === undefined && id === undefined
        ? undefined
        : { seq: told.ofMessage, id };
    };
    await send({});
    assert.equal(await replyAt(1), undefined);
    const first = await send({ statusUrl });
    // Others leave it as it is.
    await send({});
    await send({ statusUrl }, "https", "https://example.com/a");
    await send({ statusUrl }, "sms", "+4915187654321");
    await send({ statusUrl, projectId: otherProjectId });
    assert.deepEqual(await replyAt(1), first);
    assert.equal(await replyAt(1, { from: "+4915100000009" }), undefined);
    const last = 1000 + lateOutcomesMs;
    assert.deepEqual(await replyAt(last - 1), first);
    assert.equal(await replyAt(last), undefined);
    const held = await send({ statusUrl, notBefore: after(500) });
    assert.equal(await replyAt(499), undefined);
    assert.deepEqual(await replyAt(500), held);
  });

  test("tells nothing of a write that was refused", async (store) => {
    const topic = await addTopic(store);
    const { seq: target } = await addSubscription(store, topic);
    const from = await store.readLatestPosition();
    const spoiled = (messageSeq: number) =>
      delivered(messageSeq, target, { segments: "many" as unknown as number });
    const seq = await fanOut(store, topic, (it) => [spoiled(it)]);
    assert.deepEqual(await deliveriesOf(store, from), [
      `${seq} ${target} failed`,
    ]);
  });

  test("keeps its order under concurrent writers: nothing appears before what was read", async (store, clock) => {
    const from = await store.readLatestPosition();
    const claims = [];
    for (let n = 0; n < 60; n++) {
      await store.acceptDirectMessage(directMessage(), phones(1));
    }
    claims.push(...(await claimDue(store, clock, leaseOf("a"), start, 60)));
    const seen: string[] = [];
    let position: FeedPosition = from;
    let isDone = false;
    const reading = (async () => {
      for (let last = false; !last; ) {
        last = isDone;
        const batches = await read(store, position, 3);
        if (batches.length > 0) last = false;
        for (const batch of batches) {
          seen.push(...flat(batch));
          position = batch.position;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await Promise.all(
      claims.map(async ({ messageSeq, fence }, n) => {
        for (let turn = 0; turn < n % 7; turn++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        await recordOutcomes(store, [{ ...delivered(messageSeq, 0), fence }]);
      }),
    );
    isDone = true;
    await reading;
    // All of it, once, and in the order that a later reader finds, too.
    assert.equal(seen.length, 60);
    assert.deepEqual(seen, await deliveriesOf(store, from));
    assert.equal(new Set(seen).size, 60);
  });

  test("calls who watches once there is more to read", async (store) => {
    const from = await store.readLatestPosition();
    const called = Promise.withResolvers<void>();
    const stop = store.watchFeed(called.resolve);
    await occur(store, 1);
    await called.promise;
    stop();
    assert.equal((await read(store, from)).length, 1);
  });

  test("says of a position that it is gone, or never was", async (store) => {
    const from = await store.readLatestPosition();
    assert.deepEqual(await store.readChanges(from, 10), {
      kind: "batches",
      batches: [],
    });
    await occur(store, 5);
    const [first, second] = await read(store, from);
    assert.ok(first && second);
    const retention = { before: after(1000), maxBatches: 1000 };
    assert.equal(await store.forgetChanges(retention, 2), 2);
    // What is kept is not missed.
    const gone = { kind: "gone", next: second.position };
    assert.deepEqual(await store.readChanges(from, 10), gone);
    assert.deepEqual(await store.readChanges(first.position, 10), gone);
    assert.equal((await read(store, second.position)).length, 3);
    const { position } = (await read(store, second.position)).at(-1) ?? {};
    assert.ok(position);
    // As after a restore of older data.
    const ahead = `${Number(position) + 7}`;
    for (const never of [ahead, "x", ""]) {
      assert.deepEqual(
        await store.readChanges(never, 10),
        { kind: "gone", next: position },
        never,
      );
    }
  });

  test("knows a position only as it was given", async (store) => {
    await occur(store, 2);
    const latest = await store.readLatestPosition();
    for (const other of [
      `0${latest}`,
      `00${latest}`,
      ` ${latest}`,
      `+${latest}`,
    ]) {
      assert.deepEqual(
        await store.readChanges(other, 10),
        { kind: "gone", next: latest },
        other,
      );
    }
  });

  test("forgets by age and by number, but never the newest", async (store, clock) => {
    await occur(store, 4);
    const some = { before: after(0), maxBatches: 2 };
    assert.equal(await store.forgetChanges(some, 100), 2);
    assert.equal(await store.forgetChanges(some, 100), 0);
    clock.advance(10);
    const all = { before: after(1000), maxBatches: 2 };
    assert.equal(await store.forgetChanges(all, 100), 1);
    const latest = await store.readLatestPosition();
    assert.equal(await store.forgetChanges(all, 100), 0);
    await occur(store, 1);
    assert.equal((await read(store, latest)).length, 1);
  });

  test("keeps what a durable consumer has still to read", async (store) => {
    const from = await store.claimConsumer("events", leaseOf("a"));
    assert.ok(from !== undefined);
    await occur(store, 4);
    const all = { before: after(1000), maxBatches: 1000 };
    assert.equal(await store.forgetChanges(all, 100), 0);
    const batches = await read(store, from);
    const to = batches[1]?.position ?? "";
    const consumer = { name: "events", owner: "a" };
    assert.equal(await store.advanceConsumer(consumer, from, to, []), true);
    assert.equal(await store.forgetChanges(all, 100), 2);
  });

  test("forgets by number what a consumer that stands still has to read, and says so", async (store) => {
    const from = await store.claimConsumer("events", leaseOf("a"));
    assert.ok(from !== undefined);
    await occur(store, 6);
    const batches = await read(store, from);
    const some = { before: start, maxBatches: 2 };
    assert.equal(await store.forgetChanges(some, 3), 3);
    assert.equal(await store.forgetChanges(some, 100), 1);
    assert.equal(await store.forgetChanges(some, 100), 0);
    // It stands where it stood, and loses no more than it has to.
    assert.equal(await store.claimConsumer("events", leaseOf("a")), from);
    const page = await store.readChanges(from, 100);
    assert.ok(page.kind === "gone");
    assert.equal(page.next, batches[3]?.position);
    const consumer = { name: "events", owner: "a" };
    const move = store.advanceConsumer(consumer, from, page.next, []);
    assert.equal(await move, true);
    assert.deepEqual(await read(store, page.next), batches.slice(4));
  });

  test("gives a consumer's place to one owner at a time", async (store, clock) => {
    const name = "events";
    await occur(store, 1);
    const from = await store.claimConsumer(name, leaseOf("a", 1000));
    assert.equal(from, await store.readLatestPosition());
    assert.equal(await store.claimConsumer(name, leaseOf("b")), undefined);
    assert.equal(await store.claimConsumer(name, leaseOf("a", 1000)), from);
    clock.advance(1001);
    assert.equal(await store.claimConsumer(name, leaseOf("b")), from);
    const a = { name, owner: "a" };
    assert.equal(await store.advanceConsumer(a, from ?? "", "7", []), false);
    await store.reclaimAll();
    assert.equal(await store.claimConsumer(name, leaseOf("c")), from);
  });

  test("moves a consumer and accepts its messages, both or neither", async (store) => {
    const topic = await addTopic(store);
    await addSubscription(store, topic);
    const from = await store.claimConsumer("events", leaseOf("a"));
    assert.ok(from !== undefined);
    await occur(store, 1);
    const [batch] = await read(store, from);
    assert.ok(batch);
    const content = { kind: "event", text: "{}" } as const;
    const published = messageTo(topic, { content });
    const direct = directMessage({ content });
    const messages = [
      { message: published },
      {
        message: direct,
        recipient: { protocol: "https", endpoint: "https://example.com/s" },
      },
    ] as const;
    const consumer = { name: "events", owner: "a" };
    const move = () =>
      store.advanceConsumer(consumer, from, batch.position, messages);
    assert.equal(await move(), true);
    assert.deepEqual(await countsOf(store, direct), { waiting: 1 });
    const report = await store.findMessage(projectId, published.id);
    assert.deepEqual(report?.message.content, content);
    assert.equal(report?.fannedOut, false);
    // A second time it stands elsewhere, and nothing is written.
    assert.equal(await move(), false);
    const { messages: all } = await store.listMessages(
      projectId,
      {},
      { limit: 10 },
    );
    assert.equal(all.length, 2);
  });

  test("moves no consumer when a message of its is refused", async (store) => {
    const from = await store.claimConsumer("events", leaseOf("a"));
    assert.ok(from !== undefined);
    await occur(store, 1);
    const [batch] = await read(store, from);
    assert.ok(batch);
    const consumer = { name: "events", owner: "a" };
    const spoiled = directMessage({ createdAt: 0.5 as typeof start });
    const recipient = phones(1)[0];
    assert.ok(recipient);
    await assert.rejects(
      async () =>
        await store.advanceConsumer(consumer, from, batch.position, [
          { message: directMessage(), recipient },
          { message: spoiled, recipient },
        ]),
    );
    assert.equal(await store.claimConsumer("events", leaseOf("a")), from);
    const { messages } = await store.listMessages(projectId, {}, { limit: 9 });
    assert.deepEqual(messages, []);
  });

  test("finds heads of messages and deliveries", async (store) => {
    const topic = await addTopic(store);
    const { seq: target, id } = await addSubscription(store, topic);
    const statusUrl = "https://example.com/status";
    const message = messageTo(topic, { statusUrl });
    const seq = await fanOut(
      store,
      topic,
      (it) => [
        delivered(it, target, {
          state: "failed",
          lastAttempt: {
            at: start,
            durationMs: 1,
            statusCode: 500,
            error: "x",
          },
        }),
      ],
      message,
    );
    const direct = directMessage({ content: { kind: "event", text: "{}" } });
    const { seq: other } = await store.acceptDirectMessage(direct, phones(1));
    const heads = await store.findMessageHeads([other, seq, 4711]);
    assert.deepEqual(
      [...heads].sort((a, b) => a.seq - b.seq),
      [
        {
          seq,
          id: message.id,
          projectId,
          isEvent: false,
          topic: { urn: message.topic?.urn, name: topic.name },
          statusUrl,
        },
        { seq: other, id: direct.id, projectId, isEvent: true },
      ],
    );
    assert.deepEqual(await store.listDeliveryHeads(seq, [target, 4711]), [
      {
        target,
        protocol: "https",
        endpoint: `https://example.com/${id}`,
        subscriptionId: id,
        attempts: 1,
        statusCode: 500,
        error: "x",
      },
    ]);
    const [phone] = phones(1);
    assert.ok(phone);
    const { protocol, endpoint } = phone;
    assert.deepEqual(await store.listDeliveryHeads(other, [0]), [
      { target: 0, protocol, endpoint, attempts: 0 },
    ]);
  });

  test("says of a text whom it went through, and what the carrier said of it", async (store, clock) => {
    const { claim } = await claimOne(store, clock, { billable: true });
    const { messageSeq, fence, recipient } = claim;
    const { protocol, endpoint } = recipient;
    await recordOutcomes(store, [
      {
        ...delivered(messageSeq, 0, { state: "sent", provider: "p" }),
        parts: [{ externalId: "x1" }, { externalId: "x2" }],
        segments: 2,
        fence,
      },
    ]);
    const head = async () =>
      (await store.listDeliveryHeads(messageSeq, [0]))[0];
    const sent = {
      target: 0,
      protocol,
      endpoint,
      attempts: 1,
      provider: "p",
      externalId: "x1",
      segments: 2,
    };
    const { error: _, statusCode: __, ...shown } = (await head()) ?? {};
    assert.deepEqual(shown, sent);
    const receipt = { entry: "p", externalId: "x2" } as const;
    await store.recordReceipt({ ...receipt, event: "accept", at: after(1) });
    assert.deepEqual((await head())?.receipt, {
      event: "accept",
      at: after(1),
    });
    const failed = {
      event: "fail",
      at: after(2),
      code: "27",
      text: "no 'one'",
    };
    await store.recordReceipt({ ...receipt, ...failed, event: "fail" });
    // What comes late says nothing of the state it is in.
    await store.recordReceipt({ ...receipt, event: "deliver", at: after(3) });
    assert.deepEqual((await head())?.receipt, failed);
  });

  test("says whether events could be wanted", async (store) => {
    assert.equal(await store.findEventConsumer(start), false);
    const topic = await addTopic(store, { name: "carillon-events" });
    assert.equal(await store.findEventConsumer(start), false);
    const { id } = await addSubscription(store, topic);
    assert.equal(await store.findEventConsumer(start), true);
    await store.deleteSubscription(projectId, topic.name, id, after(1));
    assert.equal(await store.findEventConsumer(start), false);
  });

  test("says whether what becomes of a message is to be told, as long as it may", async (store, clock) => {
    const statusUrl = "https://example.com/status";
    const other = directMessage({ expiresAt: after(9000) });
    await store.acceptDirectMessage(other, phones(1));
    assert.equal(await store.findEventConsumer(start), false);
    const message = directMessage({ statusUrl, expiresAt: after(5000) });
    const { seq } = await store.acceptDirectMessage(message, phones(2));
    assert.equal(await store.findEventConsumer(start), true);
    assert.equal(await store.findEventConsumer(after(4999)), true);
    assert.equal(await store.findEventConsumer(after(5000)), false);
    const claims = await claimDue(store, clock, leaseOf("a"), start, 3);
    const outcomes = claims
      .filter(({ messageSeq }) => messageSeq === seq)
      .map(({ fence, recipient: { target } }) => ({
        ...delivered(seq, target, { state: "unknown", provider: "p" }),
        fence,
      }));
    await recordOutcomes(store, outcomes);
    const act = (target: number, action: DeliveryAction, ms: number) =>
      store.actOnDelivery(
        { messageSeq: seq, target },
        {
          action,
          now: after(ms),
          ...(action === "settle_resend" && { timeToLiveSeconds: 2 }),
          lives: {},
          pullProtocols: [],
        },
        { userId: "u1", userName: "admin" },
      );
    // What an operator does comes later than its life.
    assert.ok(await act(0, "settle_delivered", 6000));
    assert.equal(await store.findEventConsumer(after(5999)), true);
    assert.equal(await store.findEventConsumer(after(6000)), false);
    assert.ok(await act(1, "settle_resend", 6000));
    assert.equal(await store.findEventConsumer(after(7999)), true);
    assert.equal(await store.findEventConsumer(after(8000)), false);
  });

  test("counts a project's event topic in no quota", async (store) => {
    const topic = await addTopic(store, { name: "carillon-events" });
    const own = { ...topic, id: freshId(), name: "own" } as typeof topic;
    await store.createTopic(own, 1);
    const second = { ...own, id: freshId(), name: "own-2" } as typeof topic;
    await assert.rejects(async () => await store.createTopic(second, 1), {
      code: "TOPIC_QUOTA_EXCEEDED",
    });
    await store.deleteTopic(projectId, topic.name, after(1));
    await store.createTopic({ ...topic, id: freshId() } as typeof topic, 0);
    assert.equal((await addTopic(store)).projectId, projectId);
    assert.ok(noQuota > 2);
  });
}

let textCount = 0;

function inboundText(
  given: Partial<NewInboundMessage> = {},
): NewInboundMessage {
  return {
    id: freshId(),
    projectId,
    provider: "loopback",
    from: "+4915112345678",
    text: `text ${textCount++}`,
    receivedAt: start,
    ...given,
  };
}

async function occurrencesOf(store: Store, from: FeedPosition) {
  const batches = await read(store, from);
  return batches
    .flatMap(({ changes }) => changes)
    .filter(({ kind }) => kind === "occurrence");
}

/** Has so many transactions in the feed. */
async function occur(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const endpoint = `https://example.com/${freshId()}`;
    const failing = { projectId, protocol: "https" as const, endpoint };
    await store.addFailingEndpoint({ ...failing, since: start }, 5);
  }
}

async function read(
  store: Store,
  from: FeedPosition,
  limit = 1000,
): Promise<readonly ChangeBatch[]> {
  const page = await store.readChanges(from, limit);
  assert.equal(page.kind, "batches");
  return page.kind === "batches" ? page.batches : [];
}

/** Message, target and state of each delivery that is told, in order. */
async function deliveriesOf(
  store: Store,
  from: FeedPosition,
): Promise<string[]> {
  return (await read(store, from)).flatMap(flat);
}

function flat({ changes }: ChangeBatch): string[] {
  return changes.flatMap((change) =>
    change.kind === "deliveries"
      ? listRuns(change.runs).map(
          (target) => `${change.messageSeq} ${target} ${change.state}`,
        )
      : [],
  );
}
