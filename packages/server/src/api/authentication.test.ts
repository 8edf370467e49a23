import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
} from "../../test-support/test-server.ts";

async function logIn(
  server: TestServer,
  scope: object = { project: { id: server.credentials.project.id } },
): Promise<string> {
  const { name, password } = server.credentials.user;
  const response = await server.app.inject({
    method: "POST",
    url: "/v3/auth/tokens",
    payload: {
      auth: {
        identity: {
          methods: ["password"],
          password: {
            user: { name, password, domain: { name: "default" } },
          },
        },
        scope,
      },
    },
  });
  assert.equal(response.statusCode, 201, response.body);
  return String(response.headers["x-subject-token"]);
}

test("credentials of each kind open each API", async () => {
  await using server = await startTestServer();
  const token = await logIn(server);
  for (const headers of [
    { "x-auth-token": token },
    { authorization: `Bearer ${token}` },
    { authorization: server.authorization },
  ]) {
    for (const url of [
      `${server.base}/topics`,
      "/v2/notifications/protocols",
      "/api/v2/whoami",
      "/v3/auth/catalog",
    ]) {
      const response = await server.app.inject({ url, headers });
      assert.equal(response.statusCode, 200, url);
    }
  }
});

test("refusals of wrong credentials read the same", async () => {
  await using server = await startTestServer();
  const basic = (pair: string) => ({
    authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
  });
  const { accessKey } = server.credentials;
  const messages = new Set<string>();
  for (const headers of [
    basic(`${accessKey}:wrong`),
    basic("AKUNKNOWN:wrong"),
    { "x-auth-token": "x".repeat(43) },
    { "x-auth-token": "short" },
  ]) {
    const response = await server.app.inject({
      url: `${server.base}/topics`,
      headers,
    });
    assert.equal(response.statusCode, 401);
    assert.equal(response.json().error_code, "APIGW.0301");
    assert.match(String(response.headers["www-authenticate"]), /^Keystone uri/);
    messages.add(response.json().message);
  }
  assert.equal(messages.size, 1);
});

test("an expired token is 401, so that clients log in again", async () => {
  await using server = await startTestServer();
  const headers = { "x-auth-token": await logIn(server) };
  const url = `${server.base}/topics`;
  assert.equal((await server.app.inject({ url, headers })).statusCode, 200);
  server.clock.advance(24 * 3_600_000);
  assert.equal((await server.app.inject({ url, headers })).statusCode, 401);
});

test("credentials without a project reach no project", async () => {
  await using server = await startTestServer();
  const token = await logIn(server, { domain: { name: "default" } });
  const headers = { "x-auth-token": token };
  const smn = await server.app.inject({
    url: `${server.base}/topics`,
    headers,
  });
  assert.deepEqual([smn.statusCode, smn.json().code], [403, "SMN.0001"]);
  const own = await server.app.inject({ url: "/api/v2/messages", headers });
  assert.equal(own.statusCode, 403);
  assert.equal(own.json().code, "PERMISSION_DENIED");
});

test("no log-in is needed where links and clients come without one", async () => {
  await using server = await startTestServer();
  for (const url of [
    "/",
    "/v2",
    "/v3",
    "/v3/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v2/openapi.json",
    "/api/v2/problems",
  ]) {
    const response = await server.app.inject({
      url,
      // The Node SDK signs these, too; nobody looks at it.
      headers: { authorization: "SDK-HMAC-SHA256 Access=x" },
    });
    assert.equal(response.statusCode, 200, url);
  }
});

/** A request as a real client signs and sends it, over a socket. */
async function sendSigned(
  server: TestServer,
  port: number,
  options: { method: string; path: string; body?: string; at?: number },
): Promise<{ status: number; body: string }> {
  const { accessKey, secretKey, project } = server.credentials;
  const { method, path, body = "" } = options;
  const date = new Date(options.at ?? server.clock.now())
    .toISOString()
    .replace(/[-:]|\.\d+/g, "");
  const [pathname = "", query = ""] = path.split("?");
  const canonicalPath = pathname.split("/").map(encodeURIComponent).join("/");
  const headers: Record<string, string> = {
    "content-type": "application/json",
    host: `127.0.0.1:${port}`,
    "x-project-id": project.id,
    "x-sdk-date": date,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    `${canonicalPath}/`,
    query,
    names.map((name) => `${name}:${headers[name]}\n`).join(""),
    names.join(";"),
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const signature = createHmac("sha256", secretKey)
    .update(`SDK-HMAC-SHA256\n${date}\n${digest}`)
    .digest("hex");
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        port,
        host: "127.0.0.1",
        method,
        path,
        headers: {
          ...headers,
          authorization: `SDK-HMAC-SHA256 Access=${accessKey}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
        },
      },
      async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, body: text });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

test("signed requests work over a socket, with colons in the path", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const topics = `${server.base}/topics`;
  const created = await sendSigned(server, port, {
    method: "POST",
    path: topics,
    body: '{"name":"a"}',
  });
  assert.equal(created.status, 201, created.body);
  const published = await sendSigned(server, port, {
    method: "POST",
    path: `${topics}/${server.topicUrn("a")}/publish`,
    body: '{"subject":"s","message":"é"}',
  });
  assert.equal(published.status, 200, published.body);
  const listed = await sendSigned(server, port, {
    method: "GET",
    path: `${topics}?limit=10&offset=0`,
  });
  assert.equal(listed.status, 200, listed.body);
  const deleted = await sendSigned(server, port, {
    method: "DELETE",
    path: `${topics}/${server.topicUrn("a")}`,
  });
  assert.equal(deleted.status, 200, deleted.body);
});

test("a signature of 16 minutes ago is refused", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const { status, body } = await sendSigned(server, port, {
    method: "GET",
    path: `${server.base}/topics`,
    at: server.clock.now() - 16 * 60_000,
  });
  assert.equal(status, 401);
  assert.match(body, /15 minutes/);
});
