/** What is told of the deliveries of a message to several topics, by topic. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { hourMs, silentLogger } from "@carillon/core";
import { startTestServer } from "../../../test-support/test-server.ts";
import { toToldBatches } from "../../events/told-batch.ts";

/** Topics a and b, each with a webhook of its own, and one that has both. */
async function setUp() {
  const server = await startTestServer();
  const { base, call, clock, store, sent, topicUrn } = server;
  const subscribe = async (topic: string, endpoint: string) => {
    await call("POST", `${base}/topics`, { name: topic });
    const url = `${base}/topics/${topicUrn(topic)}/subscriptions`;
    await call("POST", url, { protocol: "https", endpoint });
    await clock.advanceSettled(1000);
    const content = sent.at(-1)?.message.content;
    if (content?.kind !== "confirmation") throw new Error("not asked");
    const { subscriptionId, generation } = content.grant;
    await store.confirmSubscription(subscriptionId, generation);
  };
  for (const topic of ["a", "b"]) {
    await subscribe(topic, `https://${topic}.test/`);
    await subscribe(topic, "https://both.test/");
  }
  const publish = async (): Promise<string> => {
    const audience = { kind: "topics", topics: ["a", "b"] };
    const message = { audience, text: "x" };
    const { body } = await call("POST", "/api/v2/messages", message);
    await clock.advanceSettled(10_000);
    return body.id;
  };
  return { server, subscribe, publish };
}

test("delivery log and statistics have those of their own topic", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const { base, call, topicUrn } = server;
  const logtank = { log_group_id: "group", log_stream_id: "stream" };
  await call("POST", `${base}/topics/${topicUrn("b")}/logtanks`, logtank);
  const id = await publish();
  const log = await call("GET", `/api/v2/topics/${topicUrn("b")}/log`);
  assert.deepEqual(
    log.body.entries.map((it: Record<string, unknown>) => [
      it.message_id,
      it.topic_urn,
      it.endpoint,
    ]),
    [[id, topicUrn("b"), "https://b.test/***"]],
  );
  for (const [topic, count] of [
    ["a", 2],
    ["b", 1],
  ] as const) {
    const found = await server.store.findTopic(
      server.credentials.project.id,
      topic,
    );
    const now = server.clock.now();
    const counts = await server.store.readStatistics(
      found?.seq ?? 0,
      (now - (now % hourMs)) as typeof now,
      (now + hourMs) as typeof now,
    );
    assert.deepEqual(
      counts.map((it) => [it.state, it.count]),
      [["delivered", count]],
      topic,
    );
  }
});

test("events name the topic of each delivery", async () => {
  const { server, subscribe, publish } = await setUp();
  await using _ = server;
  await subscribe("carillon-events", "https://events.test/");
  const { store, sent, topicUrn } = server;
  const before = sent.length;
  const position = await store.readLatestPosition();
  const id = await publish();
  const told = sent
    .slice(before)
    .filter(({ recipient }) => recipient.endpoint === "https://events.test/")
    .map(({ message: { content, attributes } }) => ({
      ...(content.kind === "event" && JSON.parse(content.text)),
      topic: attributes?.find(({ name }) => name === "topic")?.value,
    }));
  const ofMessage = told
    .filter(({ messageId }) => messageId === id)
    .flatMap(({ topicUrn, topic, deliveries }) =>
      deliveries.map((it: Record<string, string>) => [
        topicUrn,
        topic,
        it.endpoint,
        it.subscriptionUrn?.startsWith(`${topicUrn}:`),
      ]),
    );
  /** Of what was told, by endpoint; each can be asked for by its id. */
  async function checkDelivery(deliveryId: string, endpoint: string) {
    const path = `/api/v2/deliveries/${deliveryId}`;
    const { body } = await server.call("GET", path);
    assert.equal(body.endpoint, endpoint);
    assert.equal(body.id, deliveryId);
  }
  for (const { messageId, deliveries } of told) {
    if (messageId !== id) continue;
    for (const it of deliveries) {
      await checkDelivery(it.deliveryId, it.endpoint);
    }
  }
  assert.deepEqual(ofMessage.toSorted(), [
    [topicUrn("a"), "a", "https://a.test/", true],
    [topicUrn("a"), "a", "https://both.test/", true],
    [topicUrn("b"), "b", "https://b.test/", true],
  ]);

  const page = await store.readChanges(position, 100);
  assert.ok(page.kind === "batches");
  const context = {
    region: "test-1",
    logger: silentLogger,
    protocols: { maskSecrets: (_: string, endpoint: string) => endpoint },
  };
  const batches = await toToldBatches(store, position, page.batches, context);
  const changes = batches
    .flatMap((batch) => batch.changes)
    .flatMap(({ told }) => (told?.messageId === id ? [told] : []));
  const texts: (readonly (string | undefined)[])[] = [];
  for (const change of changes) {
    assert.equal(change.topicUrn, undefined);
    assert.deepEqual(change.several?.topicUrns, ["a", "b"].map(topicUrn));
    const urns = (await change.several?.ofEvents()) ?? [];
    for (const [n, text] of (await change.texts(0, change.count)).entries()) {
      const { topicUrn: urn, endpoint, deliveryId } = JSON.parse(text);
      await checkDelivery(deliveryId, endpoint);
      assert.equal(urn, urns[n]);
      texts.push([urn, endpoint]);
    }
  }
  assert.deepEqual(texts.toSorted(), [
    [topicUrn("a"), "https://a.test/"],
    [topicUrn("a"), "https://both.test/"],
    [topicUrn("b"), "https://b.test/"],
  ]);
});
