/** The header Idempotency-Key on the routes that publish. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, MemoryStore } from "@carillon/testing";
import {
  startTestServer,
  type TestServer,
} from "../../test-support/test-server.ts";

const v2 = "/api/v2/messages";
const direct = {
  kind: "direct",
  recipients: [{ protocol: "sms", endpoint: "+4915112345678" }],
};

/** As a client sends it. */
async function send(
  server: TestServer,
  url: string,
  body: object,
  key: string | undefined,
) {
  const answer = await server.app.inject({
    method: "POST",
    url,
    headers: {
      authorization: server.authorization,
      ...(key !== undefined && { "idempotency-key": key }),
    },
    payload: JSON.stringify(body),
  });
  return {
    status: answer.statusCode,
    text: answer.body,
    replayed: answer.headers["idempotency-replayed"],
    location: answer.headers.location,
    retryAfter: answer.headers["retry-after"],
  };
}

/** Each route that publishes, with a request and another one. */
async function routesOf(server: TestServer) {
  const topics = `${server.base}/topics`;
  await server.call("POST", topics, { name: "a" });
  await server.call("POST", topics, { name: "b" });
  const publish = (name: string) =>
    `${topics}/${server.topicUrn(name)}/publish`;
  const text = { audience: direct, text: "x" };
  const topicUrn = server.topicUrn("a");
  const ofTopic = { audience: { kind: "topic", topicUrn }, text: "x" };
  return [
    { url: publish("a"), body: { message: "x" }, other: { message: "y" } },
    {
      url: `${server.base}/sms`,
      body: { endpoint: "+4915112345678", message: "x" },
      other: { endpoint: "+4915112345679", message: "x" },
    },
    { url: v2, body: text, other: { ...text, tag: "t" } },
    { url: v2, body: ofTopic, other: text },
  ];
}

async function count(server: TestServer): Promise<number> {
  return (await server.call("GET", v2)).body.messages.length;
}

test("the same request with the same key is answered the same", async () => {
  await using server = await startTestServer();
  for (const [n, { url, body }] of (await routesOf(server)).entries()) {
    const first = await send(server, url, body, `k${n}`);
    assert.ok(first.status === 200 || first.status === 201, first.text);
    assert.equal(first.replayed, undefined);
    for (const key of [`k${n}`, `"k${n}"`]) {
      const again = await send(server, url, body, key);
      assert.deepEqual(again, { ...first, replayed: "true" });
    }
    assert.equal(await count(server), n + 1);
  }
});

test("another request with the same key is refused", async () => {
  await using server = await startTestServer();
  for (const [n, { url, body, other }] of (await routesOf(server)).entries()) {
    await send(server, url, body, `k${n}`);
    const refused = await send(server, url, other, `k${n}`);
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.text, /used for another request/);
    assert.equal(await count(server), n + 1);
  }
  // The topic is part of the request, though it stands in the path.
  const [{ url, body } = assert.fail()] = await routesOf(server);
  const elsewhere = url.replace(server.topicUrn("a"), server.topicUrn("b"));
  const refused = await send(server, elsewhere, body, "k0");
  assert.equal(refused.status, 422);
});

test("a request that was refused leaves its key free", async () => {
  await using server = await startTestServer();
  const bad = { audience: direct, text: "" };
  assert.equal((await send(server, v2, bad, "k")).status, 400);
  const good = { audience: direct, text: "x" };
  const sent = await send(server, v2, good, "k");
  assert.deepEqual([sent.status, sent.replayed], [201, undefined]);
});

test("a repeated request is answered whatever became of its topic", async () => {
  await using server = await startTestServer();
  const [{ url, body } = assert.fail()] = await routesOf(server);
  const first = await send(server, url, body, "k");
  const topic = `${server.base}/topics/${server.topicUrn("a")}`;
  assert.equal((await server.call("DELETE", topic)).status, 200);
  const again = await send(server, url, body, "k");
  assert.deepEqual(again, { ...first, replayed: "true" });
});

test("a key holds for a day", async () => {
  await using server = await startTestServer();
  const body = { audience: direct, text: "x" };
  const first = await send(server, v2, body, "k");
  server.clock.advance(86_399_000);
  assert.equal((await send(server, v2, body, "k")).text, first.text);
  server.clock.advance(1000);
  const later = await send(server, v2, body, "k");
  assert.notEqual(later.text, first.text);
  assert.equal(later.replayed, undefined);
});

test("keys that nobody uses any more are removed", async () => {
  await using server = await startTestServer();
  const body = { audience: direct, text: "x" };
  for (let n = 0; n < 20; n++) await send(server, v2, body, `k${n}`);
  server.clock.advance(86_400_000);
  await server.clock.advanceSettled(3_600_000);
  assert.equal(await server.store.removeEndedKeys(server.clock.now(), 99), 0);
});

test("the second of two at once is told to come again", async () => {
  const store = new MemoryStore({ clock: new ManualClock() });
  const { acceptOnce } = store;
  await using server = await startTestServer({ store });
  for (const [n, { url, body, other }] of (await routesOf(server)).entries()) {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    store.acceptOnce = async (...args) => {
      entered.resolve();
      await gate.promise;
      return await acceptOnce(...args);
    };
    const first = send(server, url, body, `k${n}`);
    await entered.promise;
    const second = await send(server, url, body, `k${n}`);
    assert.equal(second.status, 409, second.text);
    assert.equal(second.retryAfter, "1");
    assert.match(second.text, /has not ended yet/);
    const refused = await send(server, url, other, `k${n}`);
    assert.deepEqual([refused.status, refused.retryAfter], [422, undefined]);
    assert.equal(await count(server), n);
    gate.resolve();
    const answer = await first;
    assert.ok(answer.status === 200 || answer.status === 201, answer.text);
    const again = await send(server, url, body, `k${n}`);
    assert.deepEqual(again, { ...answer, replayed: "true" });
    assert.equal(await count(server), n + 1);
  }
});

test("of many at once with 8 keys, 8 are published", async () => {
  await using server = await startTestServer();
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, n) =>
      send(server, v2, { audience: direct, text: `${n % 8}` }, `k${n % 8}`),
    ),
  );
  const sent = answers.filter(({ status }) => status === 201);
  assert.ok(answers.every((it) => it.status === 201 || it.retryAfter === "1"));
  assert.equal(new Set(sent.map(({ text }) => text)).size, 8);
  assert.equal(await count(server), 8);
});

test("malformed keys are refused before anything is done", async () => {
  await using server = await startTestServer();
  for (const key of ["", "a b", "a, b", '"', "x".repeat(256)]) {
    for (const { url, body } of await routesOf(server)) {
      const refused = await send(server, url, body, key);
      assert.equal(refused.status, 400, `${url} ${key}`);
      assert.match(refused.text, /Invalid Idempotency-Key/);
    }
  }
  assert.equal(await count(server), 0);
});
