/** Secrets in the URLs of endpoints: who sees them, and who does not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer, tokenIn } from "../../test-support/test-server.ts";

const endpoint = "https://user:hush1@a.test/hook/hush3?token=hush2";

test("a URL's secrets are shown by SMN's routes to the project, and nowhere else", async () => {
  await using server = await startTestServer();
  const { call, base, topicUrn, clock, app, sent } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const topic = `${base}/topics/${topicUrn("a")}`;
  await call("POST", `${topic}/logtanks`, {
    log_group_id: "g",
    log_stream_id: "s",
  });
  const made = await call("POST", `${topic}/subscriptions`, {
    protocol: "https",
    endpoint,
  });
  assert.equal(made.status, 201);
  const { body: listed } = await call("GET", `${topic}/subscriptions`);
  assert.equal(listed.subscriptions[0].endpoint, endpoint);

  await clock.advanceSettled(100);
  const content = sent[0]?.message.content;
  assert.ok(content?.kind === "confirmation");
  assert.equal(sent[0]?.recipient.endpoint, endpoint);
  const page = await app.inject({
    method: "POST",
    url: `/smn/subscription/confirm?token=${tokenIn(content)}`,
    headers: { accept: "text/html" },
  });
  assert.match(page.body, /https:\/\/\*\*\*@a\.test\/hook\/hush3\?\*\*\*/);

  const published = await call("POST", `${topic}/publish`, { message: "m" });
  await clock.advanceSettled(1000);
  const path = `/api/v2/messages/${published.body.message_id}/deliveries`;
  const { body } = await call("GET", path);
  const [delivery] = body.deliveries;
  assert.equal(delivery.state, "delivered");
  assert.equal(delivery.endpoint, "https://***@a.test/hook/hush3?***");
  const one = await call("GET", `/api/v2/deliveries/${delivery.id}`);
  assert.equal(one.body.endpoint, delivery.endpoint);

  const log = await call("GET", `/api/v2/topics/${topicUrn("a")}/log`);
  assert.match(JSON.stringify(log.body), /https:\/\/a\.test\/\*\*\*/);
  for (const shown of [page.body, body, one.body, log.body]) {
    assert.doesNotMatch(JSON.stringify(shown), /hush[12]/);
  }
  assert.doesNotMatch(JSON.stringify(log.body), /hush/);
  assert.doesNotMatch(JSON.stringify(server.complaints), /hush/);
});

test("a refused endpoint is not repeated", async () => {
  await using server = await startTestServer();
  const { call, base, topicUrn } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const { status, body } = await call(
    "POST",
    `${base}/topics/${topicUrn("a")}/subscriptions`,
    { protocol: "https", endpoint: "https://user:hush/x@a.test/" },
  );
  assert.equal(status, 400);
  assert.match(JSON.stringify(body), /%2F/);
  assert.doesNotMatch(JSON.stringify(body), /hush/);
});
