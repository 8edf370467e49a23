import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createCountingIds,
  defineTestProtocol,
  ManualClock,
  MemoryStore,
} from "@carillon/testing";
import type { ProjectId } from "../ids.ts";
import { noSeal } from "../ports/content-seal.ts";
import { createProtocols } from "../subscriptions/protocol.ts";
import { createTemplates } from "../templates/templates.ts";
import { createTopics } from "../topics/topics.ts";
import { createDirectIntake } from "./direct-intake.ts";
import { createPublisher, type PublishRequest } from "./publish.ts";
import { createRequestChecks } from "./request-checks.ts";

const projectId = "1".repeat(32) as ProjectId;
const guest = "2".repeat(32) as ProjectId;

/** As if no text for a phone could have a bell. */
const protocols = createProtocols([
  defineTestProtocol("sms", {
    problemWithText: (text) => (text.includes("\u0007") ? "a bell" : undefined),
    problemWithLength: ({ length }) =>
      length > 9 ? `takes ${length} segments` : undefined,
  }),
  defineTestProtocol("email"),
]);

async function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const newId = createCountingIds();
  const topics = createTopics({ store, clock, newId }, { region: "local" });
  const templates = createTemplates({
    store,
    clock,
    newId,
    protocols,
  });
  const checks = createRequestChecks({
    store,
    clock,
    newMessageId: newId,
    protocols,
  });
  const direct = createDirectIntake({
    store,
    checks,
    dispatcher: { offer() {} },
    clock,
    isOpen: () => true,
    onAccepted() {},
    isBillable: () => true,
    isFetched: () => false,
    lives: {},
  });
  const publisher = createPublisher({
    store,
    topics,
    checks,
    direct,
    seal: noSeal,
    intake: { reserve: () => undefined, take() {}, offer() {} },
    onAccepted() {},
    protocols,
    lives: {},
  });
  const { topic } = await topics.create(projectId, { name: "alerts" });
  const urn = topics.urnOf(topic);
  const publish = async (request: PublishRequest) => {
    const { messageId } = await publisher.publish(projectId, urn, request);
    const report = await store.findMessage(projectId, messageId);
    return report?.message.content;
  };
  const sendSms = (endpoint: string, text: string) =>
    publisher.sendSms(projectId, endpoint, text);
  return { topics, templates, publisher, store, clock, publish, sendSms, urn };
}

test("what a protocol cannot carry is refused in its own variant", async () => {
  const { publish, templates, sendSms } = await setUp();
  const bell = "ring \u0007";
  const refused = (code: string, message: string) => ({ code, message });
  await assert.rejects(
    publish({ structure: JSON.stringify({ default: "x", sms: bell }) }),
    refused(
      "MESSAGE_STRUCTURE_INVALID",
      'Invalid message structure: the value of "sms" holds a bell.',
    ),
  );
  await assert.rejects(
    sendSms("+491700000000", bell),
    refused("MESSAGE_INVALID", "Invalid message: the text holds a bell."),
  );
  const create = (protocol: string, content: string) =>
    templates.create(projectId, { name: "disk", protocol, content });
  await create("default", "x {a}");
  await create("sms", "{a}");
  await assert.rejects(
    publish({ template: { name: "disk", tags: { a: bell } } }),
    refused(
      "MESSAGE_INVALID",
      "Invalid message: the template's sms variant holds, with these tags, a bell.",
    ),
  );
  // Others carry it, and of a text for all each protocol sends what it can.
  for (const request of [
    { text: bell },
    { structure: JSON.stringify({ default: bell, email: bell, sms: "x" }) },
    { template: { name: "disk", tags: { b: bell } } },
  ]) {
    assert.ok(await publish(request));
  }
});

test("what is too long for a recipient's protocol is refused, and nothing else is", async () => {
  const { publisher, publish, templates, sendSms, store } = await setUp();
  const long = "0123456789";
  const error = {
    code: "MESSAGE_INVALID",
    message: "Invalid message: the text for sms takes 10 segments.",
  };
  const phone = { protocol: "sms", endpoint: "+491700000000" };
  const mailbox = { protocol: "email", endpoint: "ann@example.com" };
  const variants = { default: long, sms: "short" };
  await templates.create(projectId, { name: "disk", content: "01234567{a}" });
  const template = { name: "disk", tags: { a: "89" } };
  await assert.rejects(sendSms(phone.endpoint, long), error);
  for (const request of [
    { text: long },
    { variants: { default: "short", sms: long } },
    { template },
  ]) {
    await assert.rejects(
      publisher.send(projectId, [mailbox, phone], request),
      error,
    );
  }
  const { messages } = await store.listMessages(projectId, {}, { limit: 9 });
  assert.deepEqual(messages, []);
  await publisher.send(projectId, [mailbox], { text: long });
  await publisher.send(projectId, [phone], { variants });
  // Of a topic's subscribers nobody knows what they get it by.
  assert.ok(await publish({ text: long }));
});

test("a structure goes before a template, a template before text", async () => {
  const { templates, publish } = await setUp();
  const content = "by template";
  await templates.create(projectId, { name: "disk", content });
  const text = "by text";
  const template = { name: "disk" };
  const structure = '{"default":"by structure"}';
  for (const [request, kind, said] of [
    [{ text }, "text", "by text"],
    [{ text, template }, "structure", "by template"],
    [{ text, template, structure: null }, "structure", "by template"],
    [{ text, template, structure }, "structure", "by structure"],
  ] as const) {
    const kept = await publish(request);
    assert.equal(kept?.kind, kind);
    assert.ok(JSON.stringify(kept).includes(said), said);
  }
});

test("all variants of a template are rendered with the same tags", async () => {
  const { templates, publish } = await setUp();
  const variant = (protocol: string, content: string) =>
    templates.create(projectId, { name: "disk", protocol, content });
  await variant("sms", "{a}{a}");
  await assert.rejects(publish({ template: { name: "disk" } }), {
    code: "TEMPLATE_DEFAULT_MISSING",
  });
  await variant("default", "{a}, {constructor}");
  const tags = { a: "{a}", constructor: "c" };
  assert.deepEqual(await publish({ template: { name: "disk", tags } }), {
    kind: "structure",
    variants: { sms: "{a}{a}", default: "{a}, c" },
  });
  assert.deepEqual(await publish({ template: { name: "disk" } }), {
    kind: "structure",
    variants: { sms: "", default: ", " },
  });
});

test("a template is the topic's project's, unless another is named", async () => {
  const { templates, publish } = await setUp();
  const name = "disk";
  await templates.create(guest, { name, content: "by a guest" });
  await assert.rejects(publish({ template: { name } }), {
    code: "TEMPLATE_NOT_FOUND",
  });
  assert.deepEqual(await publish({ template: { name, projectId: guest } }), {
    kind: "structure",
    variants: { default: "by a guest" },
  });
});

test("a topic that is absent is told before a template that is", async () => {
  const { topics, publish, urn } = await setUp();
  await topics.remove(projectId, urn);
  await assert.rejects(publish({ template: { name: "none" } }), {
    code: "TOPIC_NOT_FOUND",
  });
});

test("a message to several topics is kept once, with all of them", async () => {
  const { topics, publisher, store } = await setUp();
  const names = ["builds", "alerts", "costs"];
  for (const name of names) await topics.create(projectId, { name });
  const urns = names.map((name) => topics.urnOf({ projectId, name }));
  const { messageId } = await publisher.publishToSeveral(projectId, urns, {
    text: "x",
  });
  const { messages } = await store.listMessages(projectId, {}, { limit: 9 });
  assert.deepEqual(
    messages.map(({ message: { id, audience, topic, topics } }) => [
      id,
      audience,
      topic,
      topics?.map(({ urn, name }) => [urn, name]),
    ]),
    [[messageId, "topics", undefined, names.map((name, n) => [urns[n], name])]],
  );
});

test("topics that cannot go together are refused, and nothing is kept", async () => {
  const { topics, publisher, store, urn } = await setUp();
  const named = async (name: string, owner = projectId) =>
    topics.urnOf((await topics.create(owner, { name })).topic);
  const builds = await named("builds");
  const events = await named("carillon-events");
  const foreign = await named("builds", guest);
  const eleven = Array.from({ length: 11 }, (_, n) => `${urn}-${n}`);
  const missing = `${urn}-missing`;
  for (const [urns, code, message] of [
    [[], "TOPICS_INVALID", /2 to 10 are expected, 0 were given/],
    [[urn], "TOPICS_INVALID", /2 to 10 are expected, 1 was given/],
    [eleven, "TOPICS_INVALID", /11 were given/],
    [[urn, builds, urn], "TOPICS_INVALID", /:alerts is named twice/],
    [[urn, missing], "TOPIC_NOT_FOUND", /not found.*:alerts-missing/],
    [[urn, foreign], "TOPIC_NOT_FOUND", new RegExp(foreign)],
    [[urn, "builds"], "TOPIC_URN_INVALID", /It is builds/],
    [[urn, events], "TOPIC_RESERVED", /:carillon-events/],
  ] as const) {
    const request = { text: "x" };
    await assert.rejects(publisher.publishToSeveral(projectId, urns, request), {
      code,
      message,
    });
  }
  await assert.rejects(
    publisher.publishToSeveral(projectId, [urn, builds], {}),
    { code: "MESSAGE_INVALID" },
  );
  const { messages } = await store.listMessages(projectId, {}, { limit: 9 });
  assert.deepEqual(messages, []);
});
