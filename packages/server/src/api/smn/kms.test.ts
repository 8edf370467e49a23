import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@carillon/testing";
import { startTestServer } from "../../../test-support/test-server.ts";

async function setUp() {
  const store = new MemoryStore();
  const server = await startTestServer({ store });
  const { base, call, clock, sent } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const topic = `${base}/topics/${server.topicUrn("a")}`;
  const subscribe = async () => {
    await call("POST", `${topic}/subscriptions`, {
      protocol: "sms",
      endpoint: "+491700000000",
    });
    await clock.advanceSettled(1000);
    const content = sent.at(-1)?.message.content;
    if (content?.kind !== "confirmation") throw new Error("not asked");
    const { subscriptionId, generation } = content.grant;
    await store.confirmSubscription(subscriptionId, generation);
  };
  const createKey = async (body: object) =>
    await call("POST", "/api/v2/keys", body);
  const publish = () =>
    call("POST", `${topic}/publish`, {
      subject: "secret subject",
      message: "the secret",
      message_attributes: [
        { name: "kind", type: "STRING", value: "secretkind" },
      ],
    });
  const url = `${topic}/kms`;
  return { server, store, url, subscribe, createKey, publish };
}

test("messages of a bound topic are sealed on disk and sent in the clear", async () => {
  const { server, store, url, subscribe, createKey, publish } = await setUp();
  await using _ = server;
  await subscribe();
  const { body: key } = await createKey({ name: "orders" });
  await server.call("POST", url, { key_id: key.id });
  const { status, body } = await publish();
  assert.equal(status, 200);

  const {
    messages: [report],
  } = await store.listMessages(server.credentials.project.id, {}, { limit: 1 });
  assert.equal(report?.message.sealedBy, key.id);
  assert.doesNotMatch(JSON.stringify(report), /secret/);
  await server.clock.advanceSettled(1000);
  const sent = server.sent.at(-1)?.message;
  assert.deepEqual(sent?.content, { kind: "text", text: "the secret" });
  assert.equal(sent?.subject, "secret subject");
  const shown = await server.call("GET", `/api/v2/messages/${body.message_id}`);
  assert.equal(shown.body.text, "the secret");
  assert.equal(shown.body.subject, "secret subject");
  assert.equal(shown.body.attributes[0].value, "secretkind");
  const { body: list } = await server.call("GET", "/api/v2/messages?limit=1");
  assert.equal(list.messages[0].subject, "secret subject");
});

test("nothing is published unless the key is enabled", async () => {
  const { server, url, createKey, publish } = await setUp();
  await using _ = server;
  await createKey({ name: "late", id: "later" });
  const { body: bound } = await server.call("POST", url, { key_id: "later" });
  assert.equal((await publish()).status, 200);
  await server.call("POST", "/api/v2/keys/later/disable");
  assert.equal((await server.call("GET", url)).body.status, "DISABLED");
  const refused = await publish();
  assert.equal(refused.status, 403);
  assert.equal(refused.body.code, "SMN.0009");
  assert.match(refused.body.message, /is disabled/);
  await server.call("POST", "/api/v2/keys/later/enable");
  assert.equal((await publish()).status, 200);
  await server.call("POST", "/api/v2/keys/later/disable");
  await server.call("DELETE", `${url}/${bound.id}`);
  assert.equal((await publish()).status, 200);
});

test("what was accepted before its key was disabled is still delivered", async () => {
  const { server, url, subscribe, createKey, publish } = await setUp();
  await using _ = server;
  await subscribe();
  const { body: key } = await createKey({ name: "orders" });
  await server.call("POST", url, { key_id: key.id });
  await publish();
  await server.call("POST", `/api/v2/keys/${key.id}/disable`);
  await server.clock.advanceSettled(1000);
  const content = server.sent.at(-1)?.message.content;
  assert.ok(content?.kind === "text" && content.text === "the secret");
});

test("a binding is made, shown, changed and removed", async () => {
  const { server, url, createKey } = await setUp();
  await using _ = server;
  const { call } = server;
  assert.equal((await call("GET", url)).status, 404);
  const { body: a } = await createKey({ name: "a" });
  const { body: b } = await createKey({ name: "b" });
  const made = await call("POST", url, { key_id: a.id });
  assert.equal(made.status, 201);
  assert.equal((await call("POST", url, { key_id: b.id })).status, 400);
  const changed = await call("PUT", `${url}/${made.body.id}`, { key_id: b.id });
  assert.deepEqual([changed.status, changed.body.id], [200, made.body.id]);
  const { body: shown } = await call("GET", url);
  assert.deepEqual(
    [shown.id, shown.key_id, shown.status],
    [made.body.id, b.id, "ENABLED"],
  );
  for (const key_id of [undefined, "", "a b", 5, "unknown"]) {
    assert.equal((await call("POST", url, { key_id })).status, 400);
    const unchanged = await call("PUT", `${url}/${made.body.id}`, { key_id });
    assert.equal(unchanged.status, 400);
  }
  assert.equal((await call("GET", url)).body.key_id, b.id);
  assert.equal((await call("DELETE", `${url}/${made.body.id}`)).status, 200);
  assert.equal((await call("DELETE", `${url}/${made.body.id}`)).status, 404);
});

test("keys are listed without what they are made of; names are unique", async () => {
  const { server, createKey } = await setUp();
  await using _ = server;
  const { status, body } = await createKey({ name: "orders/2026" });
  assert.equal(status, 201);
  assert.match(body.id, /^[0-9a-f-]{36}$/);
  assert.equal((await createKey({ name: "orders/2026" })).status, 409);
  assert.equal((await createKey({ name: "other", id: body.id })).status, 409);
  for (const wrong of [
    {},
    { name: "" },
    { name: "a\nb" },
    { name: "b", id: "/" },
  ]) {
    assert.equal((await createKey(wrong)).status, 400);
  }
  const list = await server.call("GET", "/api/v2/keys");
  assert.deepEqual(list.body, { keys: [body] });
  assert.deepEqual(Object.keys(body).sort(), [
    "createdAt",
    "id",
    "name",
    "status",
  ]);
  const unknown = await server.call("POST", "/api/v2/keys/unknown/enable");
  assert.deepEqual([unknown.status, unknown.body.code], [404, "KEY_NOT_FOUND"]);
});

test("a key of another project is unknown", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const { call } = server;
  const { body: project } = await call("POST", "/api/v2/projects", {
    name: "other",
  });
  const { body: who } = await call("GET", "/api/v2/whoami");
  const { body: access } = await call("POST", "/api/v2/access-keys", {
    userId: who.userId,
    projectId: project.id,
  });
  const pair = Buffer.from(`${access.accessKey}:${access.secretKey}`);
  const made = await server.app.inject({
    method: "POST",
    url: "/api/v2/keys",
    headers: { authorization: `Basic ${pair.toString("base64")}` },
    payload: { name: "theirs", id: "theirs" },
  });
  assert.equal(made.statusCode, 201);
  const refused = await call("POST", url, { key_id: "theirs" });
  assert.equal(refused.status, 400);
  assert.match(refused.body.message, /no key theirs in this project/);
  // Whether another project has a key of an id is not to be seen.
  const own = await call("POST", "/api/v2/keys", {
    name: "mine",
    id: "theirs",
  });
  assert.equal(own.status, 201);
});
