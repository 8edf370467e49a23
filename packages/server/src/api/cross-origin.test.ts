/** Requests as browsers make them: a preflight without credentials first. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../test-support/test-server.ts";

const origin = "https://app.example.com";

interface Page {
  readonly origin: string;
  readonly url: string;
}

/**
 * What `fetch` of a page does with a request that has such headers, after the
 * Fetch Standard: a preflight, which decides whether the request is sent, and
 * then whether the page may read the answer. Answers what it may read.
 */
async function fetchFromPage(
  page: Page,
  path: string,
  {
    method,
    headers,
    body,
  }: { method: string; headers: Record<string, string>; body?: string },
): Promise<{ status: number; headers: Record<string, string> }> {
  const preflight = await fetch(`${page.url}${path}`, {
    method: "OPTIONS",
    headers: {
      origin: page.origin,
      "access-control-request-method": method,
      "access-control-request-headers": Object.keys(headers).sort().join(","),
    },
  });
  const list = (name: string, from: Response) =>
    (from.headers.get(name) ?? "").toLowerCase().split(/, */);
  const isFor = (answer: Response) =>
    ["*", page.origin].includes(
      answer.headers.get("access-control-allow-origin") ?? "",
    );
  if (!preflight.ok || !isFor(preflight)) throw new TypeError("preflight");
  const methods = list("access-control-allow-methods", preflight);
  if (!methods.includes(method.toLowerCase())) throw new TypeError(method);
  const allowed = list("access-control-allow-headers", preflight);
  for (const name of Object.keys(headers)) {
    if (!allowed.includes(name)) throw new TypeError(name);
  }
  const answer = await fetch(`${page.url}${path}`, {
    method,
    headers: { ...headers, origin: page.origin },
    ...(body !== undefined && { body }),
  });
  if (!isFor(answer)) throw new TypeError("answer");
  const shown = list("access-control-expose-headers", answer);
  return {
    status: answer.status,
    headers: Object.fromEntries(
      [...answer.headers].filter(([name]) => shown.includes(name)),
    ),
  };
}

async function startFor(...allowedOrigins: string[]) {
  const server = await startTestServer({ allowedOrigins });
  return { server, url: `http://127.0.0.1:${await server.listen()}` };
}

const signed = {
  authorization: "SDK-HMAC-SHA256 Access=x",
  "content-type": "application/json",
  "x-project-id": "p",
  "x-sdk-date": "20260101T000000Z",
};

test("a page of an allowed origin logs in, reads its token and uses it", async () => {
  const { server, url } = await startFor("https://other.example.com", origin);
  await using _ = server;
  const page = { origin, url };
  const { password } = server.credentials.user;
  const login = await fetchFromPage(page, "/v3/auth/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ["password"],
          password: { user: { name: "admin", password } },
        },
      },
    }),
  });
  assert.equal(login.status, 201);
  const token = login.headers["x-subject-token"] ?? "";
  assert.notEqual(token, "");
  for (const [method, path, status] of [
    ["GET", `${server.base}/topics`, 200],
    ["DELETE", `${server.base}/topics/${server.topicUrn("t")}`, 404],
    ["PATCH", "/api/v2/users/absent", 400],
    ["PUT", "/nowhere", 404],
  ] as const) {
    const answer = await fetchFromPage(page, path, {
      method,
      headers: { "x-auth-token": token },
    });
    assert.equal(answer.status, status, path);
    assert.match(answer.headers["x-request-id"] ?? "", /^[0-9a-f]{32}$/);
  }
});

test("a page may read why its request was refused", async () => {
  const { server, url } = await startFor(origin);
  await using _ = server;
  const answer = await fetchFromPage({ origin, url }, `${server.base}/topics`, {
    method: "POST",
    headers: signed,
    body: "{}",
  });
  assert.equal(answer.status, 401);
});

test("pages of other origins are not served", async () => {
  const { server, url } = await startFor(origin);
  await using _ = server;
  for (const other of [
    "https://app.example.com:8443",
    "http://app.example.com",
    "https://example.com",
    "https://app.example.com.evil.example",
    "null",
  ]) {
    await assert.rejects(
      fetchFromPage({ origin: other, url }, `${server.base}/topics`, {
        method: "GET",
        headers: { authorization: server.authorization },
      }),
      /preflight/,
      other,
    );
  }
});

test("answers differ by origin, and say so to caches", async () => {
  const { server } = await startFor(origin);
  await using _ = server;
  const answer = await server.app.inject({ url: "/healthz" });
  assert.equal(answer.headers.vary, "Origin");
  assert.equal(answer.headers["access-control-allow-origin"], undefined);
  const token = await server.app.inject({
    url: "/v3/auth/tokens",
    headers: { origin, authorization: server.authorization },
  });
  assert.equal(token.headers["access-control-allow-origin"], origin);
});

test("a * is for all origins", async () => {
  const { server, url } = await startFor("*");
  await using _ = server;
  for (const any of [origin, "null"]) {
    const answer = await fetchFromPage(
      { origin: any, url },
      `${server.base}/topics`,
      { method: "GET", headers: { authorization: server.authorization } },
    );
    assert.equal(answer.status, 200);
  }
});

test("without allowed origins nothing is said of them", async () => {
  const { server } = await startFor();
  await using _ = server;
  const answer = await server.app.inject({
    method: "OPTIONS",
    url: `${server.base}/topics`,
    headers: { origin, "access-control-request-method": "GET" },
  });
  assert.equal(answer.statusCode, 404);
  const names = Object.keys(answer.headers);
  assert.deepEqual(
    names.filter((name) => /^(access-|vary)/.test(name)),
    [],
  );
});
