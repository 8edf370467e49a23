import assert from "node:assert/strict";
import { test } from "node:test";
import { createCountingIds, ManualClock, MemoryStore } from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import { eventTopicName } from "../events/event-topic.ts";
import type { ProjectId } from "../ids.ts";
import { type ContentSeal, noSeal } from "../ports/content-seal.ts";
import type { WorkHint } from "../ports/dispatcher.ts";
import { silentLogger } from "../ports/logger.ts";
import type { Store } from "../ports/store.ts";
import { createTopics } from "../topics/topics.ts";
import { type InboundBinding, parseInboundBinding } from "./inbound-binding.ts";
import { createInboundIntake, type ReceivedText } from "./inbound-intake.ts";

const projectId = "1".repeat(32) as ProjectId;

async function setUp(
  bindings: readonly (string | InboundBinding)[] = ["*=inbox"],
  {
    seal = noSeal,
    store = new MemoryStore(),
  }: { seal?: ContentSeal; store?: Store } = {},
) {
  const clock = new ManualClock();
  const newId = createCountingIds();
  const topics = createTopics({ store, clock, newId }, { region: "local" });
  await topics.create(projectId, { name: "inbox" });
  const hints: WorkHint[] = [];
  const warnings: string[] = [];
  const parsed = bindings.flatMap((it) =>
    typeof it === "string" ? (parseInboundBinding(it) ?? []) : it,
  );
  const intake = createInboundIntake(
    {
      store,
      topics,
      dispatcher: { offer: (hint) => void hints.push(hint) },
      clock,
      logger: { ...silentLogger, warn: (event) => void warnings.push(event) },
      seal,
      newId,
      newMessageId: newId,
    },
    {
      projectId,
      bindings: () => parsed,
      lives: { http: 72 * 3600 },
    },
  );
  return { store, topics, intake, hints, warnings };
}

function received(text: Partial<ReceivedText> = {}): ReceivedText {
  return {
    provider: "acme",
    externalId: "x1",
    from: "4915112345678",
    to: "12345",
    text: "Join please",
    ...text,
  };
}

test("keeps a text and publishes it to its topic", async () => {
  const { store, intake, hints } = await setUp();
  const inbound = await intake.receive(received());
  assert.deepEqual(await store.findInbound(projectId, inbound.id), inbound);
  const {
    messages: [report],
  } = await store.listMessages(projectId, {}, { limit: 10 });
  const message = report?.message;
  assert.equal(message?.id, inbound.messageId);
  assert.equal(message?.topic?.name, "inbox");
  assert.equal(message?.subject, "SMS from +4915112345678");
  assert.ok(message?.content.kind === "structure");
  const { variants } = message.content;
  assert.equal(variants.default, "+4915112345678: Join please");
  assert.equal(variants.http, variants.https);
  assert.deepEqual(JSON.parse(variants.https ?? ""), {
    id: inbound.id,
    provider: "acme",
    from: "+4915112345678",
    to: "12345",
    text: "Join please",
    keyword: "JOIN",
    receivedAt: new Date(inbound.receivedAt).toISOString(),
  });
  assert.deepEqual(
    message.attributes?.map(({ name, value }) => `${name}=${value}`),
    ["sender=4915112345678", "receiver=12345", "keyword=JOIN", "provider=acme"],
  );
  assert.deepEqual(hints, [{ kind: "range", dueInMs: 0 }]);
});

test("a repeated text is neither kept nor published again", async () => {
  const { store, intake, hints } = await setUp();
  const first = await intake.receive(received());
  assert.deepEqual(await intake.receive(received()), first);
  const found = await store.listInbound(projectId, {}, { limit: 10 });
  assert.equal(found.length, 1);
  const { messages } = await store.listMessages(projectId, {}, { limit: 10 });
  assert.equal(messages.length, 1);
  assert.equal(hints.length, 1);
});

test("a phone's text is kept without what no store keeps", async () => {
  const { store, intake } = await setUp();
  const inbound = await intake.receive({
    ...received(),
    externalId: "a\0b",
    text: "Join\0please \ud800",
  });
  const kept = await store.findInbound(projectId, inbound.id);
  assert.equal(kept?.text, "Join\ufffdplease \ufffd");
  assert.equal(kept.externalId, "a\ufffdb");
});

test("without a binding a text is kept only", async () => {
  const { store, intake, hints, warnings } = await setUp(["54321=inbox"]);
  const inbound = await intake.receive(received());
  assert.equal(inbound.messageId, undefined);
  assert.deepEqual(await store.listMessages(projectId, {}, { limit: 10 }), {
    messages: [],
  });
  assert.deepEqual([hints, warnings], [[], []]);
});

test("a bound topic that is not there loses nothing", async () => {
  const { store, intake, warnings } = await setUp(["*=elsewhere"]);
  const inbound = await intake.receive(received());
  assert.equal(inbound.messageId, undefined);
  assert.ok(await store.findInbound(projectId, inbound.id));
  assert.deepEqual(warnings, ["inbound_not_published"]);
});

test("a text is never published to the topic of events", async () => {
  const { store, topics, intake, hints, warnings } = await setUp([
    { topicName: eventTopicName },
  ]);
  await topics.create(projectId, { name: eventTopicName });
  const inbound = await intake.receive(received());
  assert.equal(inbound.messageId, undefined);
  assert.ok(await store.findInbound(projectId, inbound.id));
  assert.deepEqual(await store.listMessages(projectId, {}, { limit: 10 }), {
    messages: [],
  });
  assert.deepEqual([hints, warnings], [[], ["inbound_not_published"]]);
});

test("a topic whose key is unusable loses nothing", async () => {
  const seal: ContentSeal = {
    ...noSeal,
    seal: async () => {
      throw new CarillonError("KEY_UNUSABLE");
    },
  };
  const { store, intake, warnings } = await setUp(["*=inbox"], { seal });
  const { id } = await intake.receive(received());
  assert.ok(await store.findInbound(projectId, id));
  assert.deepEqual(warnings, ["inbound_not_published"]);
});

test("a text too long for a message is kept in full", async () => {
  const { store, intake, warnings } = await setUp();
  const text = "é".repeat(200_000);
  const { id } = await intake.receive(received({ text }));
  assert.equal((await store.findInbound(projectId, id))?.text, text);
  assert.deepEqual(warnings, ["inbound_not_published"]);
});

test("copes with what carriers leave out or make odd", async () => {
  const { store, intake } = await setUp();
  const inbound = await intake.receive({
    provider: "odd-one",
    from: "Bank\r\nBcc: all",
    text: "\ud800 \u0000",
  });
  assert.equal(inbound.from, "Bank Bcc: all");
  const {
    messages: [report],
  } = await store.listMessages(projectId, {}, { limit: 1 });
  assert.equal(report?.message.subject, "SMS from Bank Bcc: all");
  assert.equal(report?.message.attributes, undefined);
  const nobody = await intake.receive({ provider: "a", from: "", text: "" });
  assert.equal(nobody.from, "");
});

test("fails when it cannot be kept, so that the carrier repeats it", async () => {
  const store: Store = Object.assign(new MemoryStore(), {
    acceptInbound: async () => {
      throw new CarillonError("STORAGE_UNAVAILABLE");
    },
  });
  const { intake, hints } = await setUp(["*=inbox"], { store });
  await assert.rejects(intake.receive(received()), {
    code: "STORAGE_UNAVAILABLE",
  });
  assert.deepEqual(hints, []);
});
