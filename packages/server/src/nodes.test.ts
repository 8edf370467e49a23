/** Two compositions on one store: what one changes the other knows. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "@carillon/testing";
import {
  startTestServer,
  type TestServer,
} from "../test-support/test-server.ts";

/** Both have looked everything up that they cache. */
async function startTwo(options: { readonly deaf?: boolean } = {}) {
  const one = await startTestServer();
  const store: typeof one.store = Object.create(one.store);
  // As if each notice got lost.
  if (options.deaf) store.changes = () => () => {};
  const other = await startTestServer({ beside: one, store });
  return {
    one,
    other,
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
    },
  };
}

async function statusOf(
  { app }: TestServer,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  return (await app.inject({ method: "GET", url, headers })).statusCode;
}

async function logIn({ app, credentials }: TestServer): Promise<string> {
  const { user, project } = credentials;
  const response = await app.inject({
    method: "POST",
    url: "/v3/auth/tokens",
    payload: {
      auth: {
        identity: {
          methods: ["password"],
          password: {
            user: { ...user, domain: { name: credentials.domain } },
          },
        },
        scope: { project: { id: project.id } },
      },
    },
  });
  assert.equal(response.statusCode, 201);
  return String(response.headers["x-subject-token"]);
}

test("a token that one node revokes is refused by the other at once", async () => {
  await using nodes = await startTwo();
  const { one, other } = nodes;
  const token = { "x-auth-token": await logIn(one) };
  const topics = `${one.base}/topics`;
  assert.equal(await statusOf(other, topics, token), 200);
  await one.identity.tokens.revoke(token["x-auth-token"]);
  assert.equal(await statusOf(other, topics, token), 401);
});

test("an access key that one node takes away is refused by the other at once", async () => {
  await using nodes = await startTwo();
  const { one, other } = nodes;
  const [user] = await one.store.listUsers();
  const made = await one.call("POST", "/api/v2/access-keys", {
    userId: user?.id,
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { accessKey, secretKey } = made.body;
  const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
  const headers = { authorization: `Basic ${pair}` };
  const topics = `${one.base}/topics`;
  assert.equal(await statusOf(other, topics, headers), 200);
  const taken = await one.call("DELETE", `/api/v2/access-keys/${accessKey}`);
  assert.equal(taken.status, 204, JSON.stringify(taken.body));
  assert.equal(await statusOf(other, topics, headers), 401);
});

test("without notices what one node takes away is refused within a minute", async () => {
  await using nodes = await startTwo({ deaf: true });
  const { one, other } = nodes;
  const token = { "x-auth-token": await logIn(one) };
  const topics = `${one.base}/topics`;
  assert.equal(await statusOf(other, topics, token), 200);
  await one.identity.tokens.revoke(token["x-auth-token"]);
  // This is what the notices spare.
  assert.equal(await statusOf(other, topics, token), 200);
  one.clock.advance(60_000);
  assert.equal(await statusOf(other, topics, token), 401);
});

for (const deaf of [false, true]) {
  test(`a key that one node makes seals and opens on the other${deaf ? ", also without notices" : ""}`, async () => {
    await using nodes = await startTwo({ deaf });
    const { one, other } = nodes;
    const topic = `${one.base}/topics/${one.topicUrn("a")}`;
    await one.call("POST", `${one.base}/topics`, { name: "a" });
    const { id } = (await one.call("POST", "/api/v2/keys", { name: "k" })).body;
    const bound = await other.call("POST", `${topic}/kms`, { key_id: id });
    assert.equal(bound.status, 201, JSON.stringify(bound.body));
    const published = await one.call("POST", `${topic}/publish`, {
      message: "geheim",
    });
    assert.equal(published.status, 200, JSON.stringify(published.body));
    const messageId = published.body.message_id;
    const url = `/api/v2/messages/${messageId}`;
    assert.equal((await other.call("GET", url)).body.text, "geheim");
    const again = await other.call("POST", `${topic}/publish`, {
      message: "geheim",
    });
    assert.equal(again.status, 200, JSON.stringify(again.body));

    await one.call("POST", `/api/v2/keys/${id}/disable`);
    if (deaf) one.clock.advance(60_000);
    const refused = await other.call("POST", `${topic}/publish`, {
      message: "geheim",
    });
    assert.equal(refused.body.error_code, "SMN.0009");
  });
}

test("a node that is closed listens no more, and leaves the store to others", async () => {
  const store = new MemoryStore();
  let listeners = 0;
  const counting: typeof store = Object.create(store);
  counting.changes = (listener) => {
    listeners++;
    const stop = store.changes(listener);
    return () => {
      listeners--;
      stop();
    };
  };
  const server = await startTestServer({ store: counting });
  assert.ok(listeners > 0);
  await server[Symbol.asyncDispose]();
  assert.equal(listeners, 0);
  await store.putSetting("a", "1", 0);
});
