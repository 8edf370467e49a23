import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError } from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import { startTestServer, tokenIn } from "../../../test-support/test-server.ts";

async function setUp(options: Parameters<typeof startTestServer>[0] = {}) {
  const server = await startTestServer(options);
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const topic = `${server.base}/topics/${server.topicUrn("a")}`;
  const publish = (body: unknown) =>
    server.call("POST", `${topic}/publish`, body);
  return { server, topic, publish };
}

test("what is published reaches confirmed subscribers", async () => {
  const { server, topic, publish } = await setUp();
  await using _ = server;
  await server.call("POST", `${topic}/subscriptions`, {
    protocol: "email",
    endpoint: "a@example.test",
  });
  await server.clock.advanceSettled(100);
  const confirmation = server.sent[0]?.message.content;
  assert.equal(confirmation?.kind, "confirmation");
  await server.call(
    "GET",
    `/smn/subscription/confirm?token=${tokenIn(confirmation)}`,
  );
  const { status, body } = await publish({
    subject: "Disk",
    message: "full – 満",
    time_to_live: "60",
    locale: "en-us",
  });
  assert.equal(status, 200);
  assert.match(body.message_id, /^[0-9a-f]{32}$/);
  assert.match(body.request_id, /^[0-9a-f]{32}$/);
  await server.clock.advanceSettled(100);
  const { message } = server.sent[1] ?? assert.fail();
  assert.equal(message.id, body.message_id);
  assert.equal(message.subject, "Disk");
  assert.deepEqual(message.content, { kind: "text", text: "full – 満" });
  assert.equal(message.expiresAt - message.createdAt, 60_000);
});

test("a message lives as long as it was given, else as its protocol", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const lifeOf = async ({ message_id }: { message_id: string }) => {
    const path = `/api/v2/messages/${message_id}`;
    const { body } = await server.call("GET", path);
    const seconds =
      (Date.parse(body.expiresAt) - Date.parse(body.acceptedAt)) / 1000;
    return [seconds, body.timeToLiveSeconds];
  };
  const hour = 3600;
  for (const [time_to_live, expected] of [
    // That of mailboxes, which may be subscribed to the topic.
    [undefined, [14 * 24 * hour, undefined]],
    ["", [14 * 24 * hour, undefined]],
    ["60", [60, 60]],
    ["604800", [604_800, 604_800]],
  ] as const) {
    const { body } = await publish({ message: "x", time_to_live });
    assert.deepEqual(await lifeOf(body), expected);
  }
  const { body } = await server.call("POST", `${server.base}/sms`, {
    endpoint: "+4915112345678",
    message: "x",
  });
  assert.deepEqual(await lifeOf(body), [4 * hour, undefined]);
});

test("a structure wins over a template, a template over text", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const structure = JSON.stringify({ default: "d", sms: "s" });
  const first = await publish({
    message: "text",
    message_template_name: "none",
    message_structure: structure,
  });
  assert.equal(first.status, 200);
  const { body } = await server.call(
    "GET",
    `/api/v2/messages/${first.body.message_id}`,
  );
  assert.deepEqual(body.variants, { default: "d", sms: "s" });
  const second = await publish({
    message: "text",
    message_template_name: "none",
    tags: { a: "b" },
  });
  assert.deepEqual([second.status, second.body.code], [404, "SMN.0027"]);
  const empty = { message_structure: "", message_template_name: "" };
  assert.equal((await publish({ ...empty, message: "text" })).status, 200);
});

test("each field that is wrong has its status and code", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const message = "m";
  const cases = [
    [{}, 403, "SMN.0009"],
    [{ subject: "s" }, 403, "SMN.0009"],
    [{ message: "" }, 403, "SMN.0009"],
    [{ message: 5 }, 403, "SMN.0009"],
    [{ message: null }, 403, "SMN.0009"],
    [{ message: "é".repeat(131_073) }, 403, "SMN.0009"],
    [{ message, subject: "é".repeat(513) }, 403, "SMN.0008"],
    [{ message, subject: {} }, 403, "SMN.0008"],
    [{ message, subject: "a\r\nb" }, 403, "SMN.0008"],
    [{ message_structure: {} }, 400, "SMN.0021"],
    [{ message_structure: "{" }, 400, "SMN.0021"],
    [{ message_structure: "[]" }, 400, "SMN.0021"],
    [{ message_structure: '{"sms":"x"}' }, 400, "SMN.0021"],
    [{ message_structure: '{"default":""}' }, 400, "SMN.0021"],
    [{ message_structure: '{"default":"x","sms":1}' }, 400, "SMN.0021"],
    [{ message_template_name: 5 }, 400, "SMN.0032"],
    [{ message_template_name: "-a b" }, 400, "SMN.0032"],
    [{ message, tags: [] }, 400, "SMN.0038"],
    [{ message, tags: { a: 1 } }, 400, "SMN.0038"],
    [{ message, time_to_live: "0" }, 400, "APIGW.0201"],
    [{ message, time_to_live: "604801" }, 400, "APIGW.0201"],
    [{ message, time_to_live: 1.5 }, 400, "APIGW.0201"],
    [{ message, time_to_live: "soon" }, 400, "APIGW.0201"],
    [{ message, time_to_live: [] }, 400, "APIGW.0201"],
    [{ message, message_attributes: "x" }, 400, "APIGW.0201"],
    [{ message, message_attributes: [{}] }, 400, "APIGW.0201"],
    [[], 403, "SMN.0009"],
    ["text", 403, "SMN.0009"],
    [undefined, 403, "SMN.0009"],
  ] as const;
  for (const [body, status, code] of cases) {
    const answer = await publish(body);
    const note = JSON.stringify(body)?.slice(0, 80);
    assert.deepEqual([answer.status, answer.body.code], [status, code], note);
  }
  const { body } = await server.call("GET", "/api/v2/messages");
  assert.deepEqual(body.messages, []);
});

test("limits themselves are allowed", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  for (const body of [
    { message: "x".repeat(262_144) },
    { message: '"'.repeat(262_144) },
    { message: "é".repeat(131_072) },
    { message: "m", subject: "é".repeat(512) },
    { message: "m", time_to_live: 604_800 },
    { message: "m", time_to_live: "1" },
    { message: "m", subject: "", tags: null, message_structure: null },
  ]) {
    assert.equal((await publish(body)).status, 200);
  }
});

test("attributes travel with the message", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const attributes = [
    { name: "severity", type: "STRING", value: "critical" },
    { name: "teams", type: "STRING_ARRAY", value: ["ops", "データ"] },
    { name: "smn_protocol", type: "PROTOCOL", value: ["https"] },
  ];
  const { body } = await publish({
    message: "m",
    message_attributes: attributes,
  });
  const { body: shown } = await server.call(
    "GET",
    `/api/v2/messages/${body.message_id}`,
  );
  assert.deepEqual(shown.attributes, attributes);
});

test("a body over 2 MiB is no message", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const message = "x".repeat(2 * 1024 * 1024);
  const { status, body } = await publish({ message });
  assert.deepEqual([status, body.code], [403, "SMN.0009"]);
});

test("a text goes to one phone", async () => {
  const { server } = await setUp();
  await using _ = server;
  const send = (body: unknown) =>
    server.call("POST", `${server.base}/sms`, body);
  const { status, body } = await send({
    endpoint: "+491700000000",
    message: "code 1234",
    sign_id: "ignored",
  });
  assert.equal(status, 200);
  await server.clock.advanceSettled(100);
  assert.equal(server.sent[0]?.message.id, body.message_id);
  assert.equal(server.sent[0]?.recipient.endpoint, "+491700000000");
  const cases = [
    [{ endpoint: "abc", message: "x" }, 400, "SMN.0012"],
    [{ endpoint: 49, message: "x" }, 400, "SMN.0012"],
    [{ message: "x" }, 400, "SMN.0012"],
    [{ endpoint: "+491700000000" }, 403, "SMN.0009"],
    [{ endpoint: "+491700000000", message: "" }, 403, "SMN.0009"],
    [{ endpoint: "+491700000000", message: 5 }, 403, "SMN.0009"],
  ] as const;
  for (const [request, expected, code] of cases) {
    const answer = await send(request);
    assert.deepEqual([answer.status, answer.body.code], [expected, code]);
  }
});

test("a text for one phone that holds what is no text is refused", async () => {
  const { server } = await setUp();
  await using _ = server;
  for (const [message, problem] of [
    ["a\u001b[31mb", "a control character (U+001B) at position 2"],
    ["a\0", "a control character (U+0000) at position 2"],
    ["1\u202e3", "an override of the writing direction (U+202E) at position 2"],
  ] as const) {
    const { status, body } = await server.call("POST", `${server.base}/sms`, {
      endpoint: "+491700000000",
      message,
    });
    assert.deepEqual([status, body.code], [403, "SMN.0009"]);
    assert.equal(body.message, `Invalid message: the text holds ${problem}.`);
  }
  await server.clock.advanceSettled(100);
  assert.deepEqual(server.sent, []);
});

test("what no phone is sent is refused where a text is for phones alone", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const colour = "a\u001b[31m";
  const holds = "a control character (U+001B) at position 2.";
  const structure = await publish({
    message_structure: JSON.stringify({ default: "x", sms: colour }),
  });
  assert.deepEqual(
    [structure.status, structure.body.message],
    [400, `Invalid message structure: the value of "sms" holds ${holds}`],
  );
  const templates = `${server.base}/message_template`;
  const create = (protocol: string, content: string) =>
    server.call("POST", templates, {
      message_template_name: "disk",
      protocol,
      content,
    });
  const refusal = `Invalid template content: the text for sms holds ${holds}`;
  const created = await create("sms", colour);
  assert.deepEqual([created.status, created.body.message], [400, refusal]);
  await create("default", colour);
  const sms = await create("sms", "{a}");
  const changed = await server.call(
    "PUT",
    `${templates}/${sms.body.message_template_id}`,
    { content: colour },
  );
  assert.deepEqual([changed.status, changed.body.message], [400, refusal]);
  const rendered = await publish({
    message_template_name: "disk",
    tags: { a: colour },
  });
  assert.deepEqual(
    [rendered.status, rendered.body.message],
    [
      403,
      `Invalid message: the template's sms variant holds, with these tags, ${holds}`,
    ],
  );
  await server.clock.advanceSettled(100);
  assert.deepEqual(server.sent, []);
});

test("a store that refuses is an SMN error, and logged", async () => {
  const store = new MemoryStore();
  const { server, publish } = await setUp({ store });
  await using _ = server;
  Object.assign(store, {
    acceptMessage: async () => {
      throw new CarillonError("STORAGE_REFUSED", "A constraint.");
    },
  });
  const { status, body } = await publish({ message: "m" });
  assert.deepEqual([status, body.code], [500, "SMN.0016"]);
  assert.equal(server.complaints[0]?.event, "request_failed");
});

test("an unexpected error says nothing of itself to the client", async () => {
  const store = new MemoryStore();
  const { server, publish } = await setUp({ store });
  await using _ = server;
  Object.assign(store, {
    acceptMessage: async () => {
      throw new Error("secret detail");
    },
  });
  const { status, body } = await publish({ message: "m" });
  assert.deepEqual([status, body.code], [500, "SMN.0018"]);
  assert.doesNotMatch(JSON.stringify(body), /secret detail/);
  assert.match(
    String(
      server.complaints.find((c) => c.event === "request_failed")?.fields.error,
    ),
    /secret detail/,
  );
});

test("while shutting down nothing is accepted", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  await server.engine.drain();
  const { status, body, headers } = await publish({ message: "m" });
  assert.equal(status, 503);
  assert.equal(headers["retry-after"], "1");
  assert.equal(body.code, "SMN.0018");
});
