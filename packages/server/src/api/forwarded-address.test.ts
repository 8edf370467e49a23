/**
 * The client's address behind proxies: wherever an address is logged or judged
 * it is the last hop that no trusted proxy added.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "@carillon/core";
import { startTestServer } from "../../test-support/test-server.ts";

const proxies = ["10.0.0.0/8", "fd00::/8"];

/** Hops of `X-Forwarded-For`, the socket's address, and whose request it is. */
const cases = [
  // Nobody lies, one proxy and two.
  ["203.0.113.7", "10.0.0.1", "203.0.113.7"],
  ["203.0.113.7, 10.0.0.2", "10.0.0.1", "203.0.113.7"],
  ["2001:db8::7, fd00::2", "fd00::1", "2001:db8::7"],
  // What the client made up stands before what the first proxy saw.
  ["127.0.0.1, 198.51.100.1, 203.0.113.7, 10.0.0.2", "10.0.0.1", "203.0.113.7"],
  ["10.9.9.9, 203.0.113.7", "10.0.0.1", "203.0.113.7"],
  // Not by way of a proxy: the header is the client's own.
  ["198.51.100.1", "203.0.113.7", "203.0.113.7"],
  ["198.51.100.1, 10.0.0.2", "203.0.113.7", "203.0.113.7"],
] as const;

async function setUp() {
  const lines: { event: string; fields: LogFields }[] = [];
  const server = await startTestServer({
    trustedProxies: proxies,
    onLine: (event, fields) => lines.push({ event, fields }),
  });
  const login = async (
    forwarded: string,
    remoteAddress: string,
    name = "admin",
  ) =>
    (
      await server.app.inject({
        method: "POST",
        url: "/v3/auth/tokens",
        remoteAddress,
        headers: { "x-forwarded-for": forwarded },
        payload: {
          auth: {
            identity: {
              methods: ["password"],
              password: { user: { name, password: "wrong" } },
            },
          },
        },
      })
    ).statusCode;
  return { server, lines, login };
}

for (const [forwarded, remote, client] of cases) {
  test(`${forwarded} through ${remote} is ${client}`, async () => {
    const { server, lines, login } = await setUp();
    await using _ = server;
    assert.equal(await login(forwarded, remote), 401);
    await server.clock.advanceSettled(60_000);
    for (const event of ["request", "login_refused"]) {
      const line = lines.find((it) => it.event === event);
      assert.equal(line?.fields.address, client, event);
    }
    const { entries } = (
      await server.call("GET", "/api/v2/audit?action=login_refused")
    ).body;
    assert.equal(entries[0]?.address, client);
  });
}

test("wrong passwords are counted for the client, not for its proxy", async () => {
  const { server, login } = await setUp();
  await using _ = server;
  for (let n = 0; n < 5; n++) {
    assert.equal(await login("203.0.113.7, 10.0.0.2", "10.0.0.1"), 401);
  }
  // Whatever it puts before its own address.
  assert.equal(await login("9.9.9.9, 203.0.113.7", "10.0.0.1"), 429);
  assert.equal(await login("203.0.113.8, 10.0.0.2", "10.0.0.1"), 401);
});

test("access policies judge the client's address", async () => {
  const { server } = await setUp();
  await using _ = server;
  const { base, call, app, topicUrn } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const urn = topicUrn("a");
  const { body: guest } = await call("POST", "/api/v2/projects", { name: "g" });
  const { body: user } = await call("POST", "/api/v2/users", {
    name: "ann",
    projectIds: [guest.id],
  });
  const key = await call("POST", "/api/v2/access-keys", { userId: user.id });
  const { accessKey, secretKey } = key.body;
  const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
  const set = await call(
    "PUT",
    `${base}/topics/${urn}/attributes/access_policy`,
    {
      value: JSON.stringify({
        Version: "2016-09-07",
        Id: "p",
        Statement: [
          {
            Sid: "s",
            Effect: "Allow",
            Principal: { CSP: ["*"] },
            Action: ["SMN:Publish"],
            Resource: urn,
            Condition: { IpAddress: { "g:SourceIp": "203.0.113.0/24" } },
          },
        ],
      }),
    },
  );
  assert.equal(set.status, 200, JSON.stringify(set.body));
  const publish = async (forwarded: string) =>
    (
      await app.inject({
        method: "POST",
        url: `/v2/${guest.id}/notifications/topics/${urn}/publish`,
        remoteAddress: "10.0.0.1",
        headers: {
          authorization: `Basic ${pair}`,
          "x-forwarded-for": forwarded,
        },
        payload: { message: "m" },
      })
    ).statusCode;
  assert.equal(await publish("203.0.113.7, 10.0.0.2"), 200);
  assert.equal(await publish("203.0.113.7, 198.51.100.1, 10.0.0.2"), 403);
});

test("a proxy's request for metrics is not this machine's own", async () => {
  const { server } = await setUp();
  await using _ = server;
  for (const [remoteAddress, forwarded] of [
    ["10.0.0.1", "127.0.0.1"],
    ["127.0.0.1", "203.0.113.7"],
  ] as const) {
    const { statusCode } = await server.app.inject({
      url: "/metrics",
      remoteAddress,
      headers: { "x-forwarded-for": forwarded },
    });
    assert.equal(statusCode, 401, remoteAddress);
  }
});
