import assert from "node:assert/strict";
import { test } from "node:test";
import { outline, serveSmn, topicUrn } from "../testing/smn.ts";

const accepted = { body: { request_id: "r", message_id: "m" } };
const path = `topics/${topicUrn}/publish`;

test("publishes a text", async () => {
  await using server = await serveSmn(() => accepted);
  const published = await server.smn.publishMessage(topicUrn, {
    subject: "Disk",
    message: "is full",
    timeToLive: 60,
    messageAttributes: [
      { name: "level", type: "STRING", value: "high" },
      { name: "smn_protocol", type: "PROTOCOL", value: ["email"] },
    ],
  });
  assert.deepEqual(published, { messageId: "m", requestId: "r" });
  assert.deepEqual(outline(server.requests[0]), [
    "POST",
    path,
    {
      subject: "Disk",
      message: "is full",
      time_to_live: "60",
      message_attributes: [
        { name: "level", type: "STRING", value: "high" },
        { name: "smn_protocol", type: "PROTOCOL", value: ["email"] },
      ],
    },
  ]);
});

test("publishes a text for each protocol", async () => {
  await using server = await serveSmn(() => accepted);
  const structure = { default: "a", email: "b" };
  const { smn } = server;
  await smn.publishMessage(topicUrn, { messageStructure: structure });
  await smn.publishMessage(topicUrn, { messageStructure: '{"default": "a"}' });
  assert.deepEqual(server.requests.map(outline), [
    ["POST", path, { message_structure: '{"default":"a","email":"b"}' }],
    ["POST", path, { message_structure: '{"default": "a"}' }],
  ]);
});

test("publishes by template", async () => {
  await using server = await serveSmn(() => accepted);
  await server.smn.publishMessage(
    { topicUrn },
    { messageTemplateName: "greeting", tags: { name: "Ada" } },
  );
  assert.deepEqual(outline(server.requests[0]), [
    "POST",
    path,
    { message_template_name: "greeting", tags: { name: "Ada" } },
  ]);
});

test("publishes to a topic by its name", async () => {
  await using server = await serveSmn(({ method }) =>
    method === "GET"
      ? { body: { topics: [{ topic_urn: topicUrn, name: "alerts" }] } }
      : accepted,
  );
  await server.smn.publishMessage("alerts", { message: "x" });
  assert.deepEqual(outline(server.requests[1]), [
    "POST",
    path,
    { message: "x" },
  ]);
});

test("sends an SMS", async () => {
  await using server = await serveSmn(() => accepted);
  const sent = await server.smn.sendSms("+4915112345678", "hello");
  assert.deepEqual(sent, { messageId: "m", requestId: "r" });
  assert.deepEqual(outline(server.requests[0]), [
    "POST",
    "sms",
    { endpoint: "+4915112345678", message: "hello" },
  ]);
});
