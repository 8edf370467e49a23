import assert from "node:assert/strict";
import { test } from "node:test";
import { startPrefixProxy } from "../../test-support/prefix-proxy.ts";
import { sendSigned } from "../../test-support/signed-request.ts";
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

const identityLists = [
  "/v3/projects?name=default",
  "/v3/auth/domains",
  "/v3/regions",
];

test("the signature of a GET covers the body that was sent", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  for (const path of [...identityLists, `${server.base}/topics?limit=1`]) {
    const send = (body: string, signedBody: string) =>
      sendSigned(server, port, { method: "GET", path, body, signedBody });
    const signed = await send("{}", "{}");
    assert.equal(signed.status, 200, `${path}: ${signed.body}`);
    assert.equal((await send("", "")).status, 200, path);
    // Not signed, exchanged, and lost on the way.
    assert.equal((await send("{}", "")).status, 401, path);
    assert.equal((await send('{"a":1}', "{}")).status, 401, path);
    assert.equal((await send("", "{}")).status, 401, path);
  }
});

test("the body of a signed GET may have 16 KiB", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const send = (body: string) =>
    sendSigned(server, port, { method: "GET", path: "/v3/regions", body });
  assert.equal((await send("x".repeat(16 * 1024))).status, 200);
  const refused = await send("x".repeat(16 * 1024 + 1));
  assert.equal(refused.status, 400);
  assert.match(refused.body, /16384 bytes/);
});

for (const keepsHost of [true, false]) {
  const how = keepsHost ? "keeps the Host" : "sets a Host of its own";
  test(`requests signed for a public path reach it through a proxy that ${how}`, async () => {
    let publicUrl = "";
    await using server = await startTestServer({ publicUrl: () => publicUrl });
    const port = await server.listen();
    await using proxy = await startPrefixProxy(() => port, "/prefix", {
      keepsHost,
    });
    publicUrl = `${proxy.url}/`;
    const send = (method: string, path: string, body?: string) =>
      sendSigned(server, proxy.port, {
        method,
        path: `/prefix${path}`,
        ...(body !== undefined && { body }),
      });
    const topics = `${server.base}/topics`;
    const created = await send("POST", topics, '{"name":"a"}');
    assert.equal(created.status, 201, created.body);
    const listed = await send("GET", `${topics}?limit=10&offset=0`);
    assert.equal(listed.status, 200, listed.body);
    for (const path of identityLists) {
      assert.equal((await send("GET", path)).status, 200, path);
    }
    const one = `${topics}/${server.topicUrn("a")}`;
    assert.equal((await send("DELETE", one)).status, 200);
    // Signed for another path than the one it was sent to.
    const other = await sendSigned(server, proxy.port, {
      method: "GET",
      path: `/prefix${topics}`,
      signedPath: `/other${topics}`,
    });
    assert.equal(other.status, 401);
  });
}
