import assert from "node:assert/strict";
import { test } from "node:test";
import { createCountingIds, ManualClock, MemoryStore } from "@carillon/testing";
import type { ProjectId } from "../ids.ts";
import { defaultMessageLives } from "../messages/default-life.ts";
import { noSeal } from "../ports/content-seal.ts";
import { createTemplates } from "../templates/templates.ts";
import { createTopics } from "../topics/topics.ts";
import { createPublisher, type PublishRequest } from "./publish.ts";

const projectId = "1".repeat(32) as ProjectId;
const guest = "2".repeat(32) as ProjectId;

async function setUp() {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const newId = createCountingIds();
  const topics = createTopics({ store, clock, newId }, { region: "local" });
  const templates = createTemplates({ store, clock, newId });
  const publisher = createPublisher({
    store,
    topics,
    dispatcher: {
      announce() {},
      listen: () => () => {},
      async close() {},
    },
    clock,
    seal: noSeal,
    newMessageId: newId,
    intake: { reserve: () => undefined, take() {} },
    isOpen: () => true,
    onAccepted() {},
    isBillable: () => true,
    lives: defaultMessageLives,
  });
  const { topic } = await topics.create(projectId, { name: "alerts" });
  const urn = topics.urnOf(topic);
  const publish = async (request: PublishRequest) => {
    const id = await publisher.publish(projectId, urn, request);
    const report = await store.findMessage(projectId, id);
    return report?.message.content;
  };
  return { topics, templates, publish, urn };
}

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
