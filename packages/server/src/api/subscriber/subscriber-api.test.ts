import assert from "node:assert/strict";
import { test } from "node:test";
import { startPrefixProxy } from "../../../test-support/prefix-proxy.ts";
import {
  certificateId,
  startTestServer,
  tokenIn,
} from "../../../test-support/test-server.ts";

async function setUp(options: Parameters<typeof startTestServer>[0] = {}) {
  const server = await startTestServer(options);
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
  return { server, token: tokenIn(content), urn, status, open };
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
  await open("GET", `/smn/subscription/confirm?token=${tokenIn(content)}`);
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
    url: server.leavePath(urn),
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: "List-Unsubscribe=One-Click",
  });
  assert.equal(response.statusCode, 200);
  assert.equal(await status(), 3);
});

test("no page has SMN's link that unsubscribes on GET", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  const leave = server.leavePath(urn);
  const shown: string[] = [];
  for (const [method, path] of [
    ["GET", `/c/${token}`],
    ["POST", `/c/${token}`],
    ["GET", `/smn/subscription/confirm?token=${token}`],
    ["GET", `/smn/subscription/unsubscribe?subscription_urn=${urn}`],
    ["GET", leave],
    ["POST", leave],
    [
      "GET",
      `/rest/v2/notifications/subscription/unsubscribe?subscription_urn=${urn}`,
    ],
  ] as const) {
    const { body } = await open(method, path, browser);
    assert.match(body, /<html/, path);
    assert.doesNotMatch(body, /unsubscribe\?|subscription_urn/, path);
    assert.ok(!body.includes(urn.slice(-32)), path);
    shown.push(body);
  }
  // The page that asks leads on by the token.
  assert.ok(shown[3]?.includes(`action="${leave}"`));
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
  for (const [method, path] of [
    ["GET", `/smn/subscription/confirm?${query}`],
    ["POST", `/smn/subscription/confirm?${query}`],
    ["GET", `/smn/subscription/unsubscribe?${query}`],
  ] as const) {
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

/** What scanners of mail, link previews and browsers send. */
const accepts = [
  undefined,
  "*/*",
  "application/json",
  "text/html,application/xhtml+xml,*/*;q=0.8",
];

test("following the links of mails and texts shows a page and changes nothing", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  for (const path of [`/c/${token}`, server.leavePath(urn)]) {
    for (const accept of accepts) {
      for (const method of ["GET", "HEAD"] as const) {
        const shown = await open(method, path, accept ? { accept } : {});
        assert.equal(shown.statusCode, 200, path);
        assert.match(String(shown.headers["content-type"]), /^text\/html/);
        assert.equal(shown.headers["cache-control"], "no-store");
        if (method === "GET") {
          assert.match(shown.body, new RegExp(`action="${path}"`));
        }
      }
    }
  }
  assert.equal(await status(), 0);
});

test("the buttons of these pages confirm and unsubscribe", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  for (const accept of accepts) {
    const headers = accept ? { accept } : {};
    const confirmed = await open("POST", `/c/${token}`, headers);
    assert.equal(confirmed.statusCode, 200);
    assert.match(confirmed.body, /Subscription confirmed/);
    assert.match(confirmed.body, /a@example\.test/);
  }
  assert.equal(await status(), 1);
  for (const accept of accepts) {
    const headers = accept ? { accept } : {};
    const left = await open("POST", server.leavePath(urn), headers);
    assert.equal(left.statusCode, 200);
    assert.match(left.body, /Unsubscribed/);
  }
  assert.equal(await status(), 3);
  await server.clock.advanceSettled(100);
  const last = server.sent.at(-1)?.message.content;
  assert.ok(last?.kind === "unsubscription");
  assert.equal((await open("POST", `/c/${tokenIn(last)}`)).statusCode, 200);
  assert.equal(await status(), 1);
});

test("links that lead nowhere answer a page, too", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  const leave = server.leavePath(urn);
  for (const method of ["GET", "POST"] as const) {
    for (const [path, expected] of [
      ["/c/00", 403],
      [`/c/${token.slice(1)}`, 403],
      ["/c/123456@1@a@example.test", 403],
      [`/c/${"x".repeat(5000)}`, 403],
      ["/u/00", 404],
      [`${leave}A`, 404],
      [server.leavePath("0".repeat(32)), 404],
    ] as const) {
      const answer = await open(method, path, { accept: "*/*" });
      assert.equal(answer.statusCode, expected, `${method} ${path}`);
      assert.match(answer.body, /This did not work/);
    }
  }
  assert.equal(await status(), 0);
  server.clock.advance(48 * 3_600_000);
  assert.equal((await open("GET", `/c/${token}`)).statusCode, 403);
  assert.equal((await open("POST", `/c/${token}`)).statusCode, 403);
  assert.equal(await status(), 0);
});

test("an old link does not subscribe again who has left since", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  assert.equal((await open("POST", `/c/${token}`)).statusCode, 200);
  await open("POST", server.leavePath(urn));
  for (const [method, path] of [
    ["POST", `/c/${token}`],
    ["GET", `/c/${token}`],
    ["GET", `/smn/subscription/confirm?token=${token}`],
    ["GET", `/rest/v2/notifications/subscription/confirm?token=${token}`],
  ] as const) {
    assert.equal((await open(method, path)).statusCode, 403, path);
  }
  assert.equal(await status(), 3);
});

test("an old link does not unsubscribe again who has come back since", async () => {
  const { server, token, urn, status, open } = await setUp();
  await using _ = server;
  assert.equal((await open("POST", `/c/${token}`)).statusCode, 200);
  const leave = server.leavePath(urn);
  assert.equal((await open("POST", leave)).statusCode, 200);
  await server.clock.advanceSettled(100);
  const back = tokenIn(server.sent.at(-1)?.message.content);
  assert.equal((await open("POST", `/c/${back}`)).statusCode, 200);
  assert.equal((await open("POST", leave)).statusCode, 404);
  assert.equal((await open("POST", `/c/${token}`)).statusCode, 403);
  assert.equal(await status(), 1);
});

test("pages and buttons work below a path of the public URL", async () => {
  let publicUrl = "";
  const { server, token, urn, status } = await setUp({
    publicUrl: () => publicUrl,
  });
  await using _ = server;
  const port = await server.listen();
  await using proxy = await startPrefixProxy(() => port, "/prefix");
  publicUrl = proxy.url;
  const topic_urn = server.topicUrn("a");
  for (const [path, expected] of [
    [`/c/${token}`, 1],
    [server.leavePath(urn), 3],
  ] as const) {
    assert.equal(await press(`${proxy.url}${path}`), 200);
    assert.equal(await status(), expected);
  }
  await server.clock.advanceSettled(100);
  const last = server.sent.at(-1)?.message.content;
  assert.ok(last?.kind === "unsubscription");
  const query = new URLSearchParams({ token: tokenIn(last), topic_urn });
  const confirm = `${proxy.url}/smn/subscription/confirm?${query}`;
  assert.equal(await press(confirm), 200);
  assert.equal(await status(), 1);
  const leave = `${proxy.url}/smn/subscription/unsubscribe?subscription_urn=${urn}`;
  assert.equal(await press(leave), 200);
  assert.equal(await status(), 3);
});

/** Opens a page as a browser, presses its button, answers the status. */
async function press(url: string): Promise<number> {
  const shown = await fetch(url, { headers: browser });
  const action = /action="([^"]+)"/.exec(await shown.text())?.[1];
  assert.ok(action, url);
  const target = new URL(action.replaceAll("&amp;", "&"), url);
  const pressed = await fetch(target, { method: "POST", headers: browser });
  await pressed.text();
  return pressed.status;
}

test("a page confirms by code", async () => {
  const server = await startTestServer();
  await using _ = server;
  const { base, call, topicUrn, clock } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const url = `${base}/topics/${topicUrn("a")}/subscriptions`;
  const endpoint = "+491700000000";
  await call("POST", url, {
    protocol: "sms",
    endpoint,
    extension: { verification_code_enabled: true },
  });
  await clock.advanceSettled(1000);
  const content = server.sent.at(-1)?.message.content;
  assert.ok(content?.kind === "confirmation");
  const port = await server.listen();
  const query = new URLSearchParams({
    token: tokenIn(content),
    topic_urn: topicUrn("a"),
    endpoint,
  });
  const page = `http://127.0.0.1:${port}/smn/subscription/confirm?${query}`;
  assert.equal(await press(page), 200);
  assert.equal((await call("GET", url)).body.subscriptions[0].status, 1);
});
