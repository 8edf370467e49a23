import assert from "node:assert/strict";
import { test } from "node:test";
import {
  certificateId,
  startTestServer,
} from "../../../test-support/test-server.ts";

async function setUp() {
  const server = await startTestServer();
  const { base, call, topicUrn, clock, app } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const url = `${base}/topics/${topicUrn("a")}/subscriptions`;
  const { body } = await call("POST", url, {
    protocol: "email",
    endpoint: "a@example.test",
  });
  await clock.advanceSettled(100);
  const content = server.sent[0]?.message.content;
  assert.ok(content?.kind === "confirmation");
  const status = async () =>
    (await call("GET", url)).body.subscriptions[0]?.status;
  const open = (
    method: "GET" | "POST" | "HEAD",
    path: string,
    headers: Record<string, string> = {},
  ) => app.inject({ method, url: path, headers });
  const urn: string = body.subscription_urn;
  return { server, token: content.token, urn, status, open };
}

const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

for (const path of [
  "/smn/subscription/confirm",
  "/rest/v2/notifications/subscription/confirm",
  "/v2/notifications/subscriptions/subscribe",
]) {
  test(`GET ${path} confirms, again and again`, async () => {
    const { server, token, urn, status, open } = await setUp();
    await using _ = server;
    assert.equal(await status(), 0);
    for (let i = 0; i < 2; i++) {
      const response = await open("GET", `${path}?token=${token}&region=r`);
      assert.equal(response.statusCode, 200);
      assert.equal(response.json().subscription_urn, urn);
      assert.match(response.json().request_id, /^[0-9a-f]{32}$/);
    }
    assert.equal(await status(), 1);
  });

  test(`GET ${path} refuses invalid tokens`, async () => {
    const { server, token, status, open } = await setUp();
    await using _ = server;
    const statusOf = async (query: string) => {
      const response = await open("GET", `${path}${query}`);
      assert.deepEqual(Object.keys(response.json()), ["message"]);
      return response.statusCode;
    };
    assert.equal(await statusOf(""), 400);
    assert.equal(await statusOf("?token="), 400);
    assert.equal(await statusOf(`?token=${token}&token=${token}`), 400);
    assert.equal(await statusOf("?token=00"), 403);
    server.clock.advance(48 * 3_600_000);
    assert.equal(await statusOf(`?token=${token}`), 403);
    assert.equal(await status(), 0);
  });
}

for (const path of [
  "/smn/subscription/unsubscribe",
  "/rest/v2/notifications/subscription/unsubscribe",
  "/v2/notifications/subscriptions/unsubscribe",
]) {
  test(`GET ${path} unsubscribes`, async () => {
    const { server, urn, status, open } = await setUp();
    await using _ = server;
    for (let i = 0; i < 2; i++) {
      const response = await open("GET", `${path}?subscription_urn=${urn}`);
      assert.equal(response.statusCode, 200);
      assert.deepEqual(response.json(), { message: "unsubscribed" });
    }
    assert.equal(await status(), 3);
    await server.clock.advanceSettled(100);
    const notices = server.sent.filter(
      ({ message }) => message.content.kind === "unsubscription",
    );
    assert.equal(notices.length, 1);
  });

  test(`GET ${path} refuses what is no subscription`, async () => {
    const { server, urn, status, open } = await setUp();
    await using _ = server;
    const statusOf = async (query: string) => {
      const response = await open("GET", `${path}${query}`);
      assert.deepEqual(Object.keys(response.json()), ["message"]);
      return response.statusCode;
    };
    assert.equal(await statusOf(""), 400);
    assert.equal(await statusOf("?subscription_urn=x"), 400);
    const other = urn.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    assert.equal(await statusOf(`?subscription_urn=${other}`), 404);
    assert.equal(await status(), 0);
  });
}

test("the link in the unsubscribe notice brings a subscription back", async () => {
  const { server, urn, status, open } = await setUp();
  await using _ = server;
  await open("GET", `/smn/subscription/unsubscribe?subscription_urn=${urn}`);
  await server.clock.advanceSettled(100);
  const content = server.sent.at(-1)?.message.content;
  assert.ok(content?.kind === "unsubscription");
  await open("GET", `/smn/subscription/confirm?token=${content.token}`);
  assert.equal(await status(), 1);
});

test("a browser that follows a link is asked first", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  const query = new URLSearchParams({ token, topic_urn: server.topicUrn("a") });
  const asked = await open(
    "GET",
    `/smn/subscription/confirm?${query}`,
    browser,
  );
  assert.equal(asked.statusCode, 200);
  assert.match(String(asked.headers["content-type"]), /^text\/html/);
  assert.match(asked.body, /<button type="submit">Confirm subscription</);
  assert.equal(await status(), 0);
  const action = /action="([^"]+)"/.exec(asked.body)?.[1] ?? "";
  const confirmed = await open(
    "POST",
    action.replaceAll("&amp;", "&"),
    browser,
  );
  assert.equal(confirmed.statusCode, 200);
  assert.match(confirmed.body, /Subscription confirmed/);
  assert.equal(await status(), 1);

  const path = `/smn/subscription/unsubscribe?subscription_urn=${urn}`;
  const leaving = await open("GET", path, browser);
  assert.equal(await status(), 1);
  const way = /action="([^"]+)"/.exec(leaving.body)?.[1] ?? "";
  const left = await open("POST", way, browser);
  assert.match(left.body, /Unsubscribed/);
  assert.equal(await status(), 3);
});

test("HEAD, as scanners of links send it, changes nothing", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  for (const path of [
    `/smn/subscription/confirm?token=${token}`,
    `/smn/subscription/unsubscribe?subscription_urn=${urn}`,
  ]) {
    const response = await open("HEAD", path);
    assert.deepEqual([response.statusCode, response.body], [200, ""]);
  }
  for (const path of [
    `/rest/v2/notifications/subscription/confirm?token=${token}`,
    `/v2/notifications/subscriptions/unsubscribe?subscription_urn=${urn}`,
  ]) {
    assert.equal((await open("HEAD", path)).statusCode, 404);
  }
  assert.equal(await status(), 0);
});

test("a mail program unsubscribes with one click", async () => {
  const { server, urn, status } = await setUp();
  await using _ = server;
  const response = await server.app.inject({
    method: "POST",
    url: `/smn/subscription/unsubscribe?subscription_urn=${urn}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: "List-Unsubscribe=One-Click",
  });
  assert.equal(response.statusCode, 200);
  assert.equal(await status(), 3);
});

test("pages run no scripts, send no referrer, and escape everything", async () => {
  const { server, open } = await setUp();
  await using _ = server;
  const evil = `"><script>alert(1)</script>&'`;
  const query = new URLSearchParams({
    token: evil,
    topic_urn: evil,
    subscription_urn: evil,
  });
  for (const path of [
    `/smn/subscription/confirm?${query}`,
    `/smn/subscription/unsubscribe?${query}`,
  ]) {
    for (const method of ["GET", "POST"] as const) {
      const response = await open(method, path, browser);
      assert.match(String(response.headers["content-type"]), /^text\/html/);
      assert.doesNotMatch(response.body, /<script|alert\(1\)<|&'/);
      const policy = String(response.headers["content-security-policy"]);
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /form-action 'self'/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(response.headers["referrer-policy"], "no-referrer");
      assert.equal(response.headers["cache-control"], "no-store");
    }
  }
});

test("errors are pages for browsers, with the same status", async () => {
  const { server, open } = await setUp();
  await using _ = server;
  const response = await open(
    "POST",
    "/smn/subscription/confirm?token=00",
    browser,
  );
  assert.equal(response.statusCode, 403);
  assert.match(response.body, /<h1>This did not work<\/h1>/);
});

test("certificates are downloaded without a log-in", async () => {
  const { server, open } = await setUp();
  await using _ = server;
  for (const path of ["/smn", "/v2/notifications/certifications/download"]) {
    const found = await open("GET", `${path}/${certificateId}`);
    assert.equal(found.statusCode, 200);
    assert.equal(found.headers["content-type"], "application/octet-stream");
    assert.match(found.body, /^-----BEGIN CERTIFICATE-----\n/);
    for (const id of ["SMN_x_00.pem", "..%2F..%2Fetc%2Fpasswd", "%00"]) {
      const missing = await open("GET", `${path}/${id}`);
      assert.equal(missing.statusCode, 404, id);
      assert.deepEqual(Object.keys(missing.json()), ["message"]);
    }
  }
});
