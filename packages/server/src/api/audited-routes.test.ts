import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../test-support/test-server.ts";

interface Entry {
  readonly action: string;
  readonly target: string;
  readonly userName: string;
  readonly requestId: string;
}

test("changes of users, keys, policies and settings are in the audit log", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  const topic = `${base}/topics/${server.topicUrn("alerts")}`;
  await call("POST", `${base}/topics`, { name: "alerts" });
  const { body: user } = await call("POST", "/api/v2/users", {
    name: "ann",
    domainId: (await call("GET", "/api/v2/whoami")).body.domainId,
  });
  await call("PUT", `${topic}/attributes/introduction`, { value: "Hello" });
  const { body: key } = await call("POST", "/api/v2/keys", { name: "k" });
  await call("POST", `/api/v2/keys/${key.id}/disable`);
  const removed = await call("DELETE", `/api/v2/users/${user.id}`);
  // None of these is a change.
  await call("GET", "/api/v2/users");
  await call("POST", "/api/v2/users", { name: "" });
  await call("POST", `${topic}/publish`, { message: "x" });

  const { body } = await call("GET", "/api/v2/audit?limit=3");
  const rest = await call("GET", `/api/v2/audit?before=${body.next}`);
  const entries: Entry[] = [...body.entries, ...rest.body.entries];
  assert.equal(rest.body.next, undefined);
  assert.deepEqual(
    entries.map(({ action, target }) => [action, target]),
    [
      ["DELETE /api/v2/users/:userId", `/api/v2/users/${user.id}`],
      ["POST /api/v2/keys/:keyId/disable", `/api/v2/keys/${key.id}/disable`],
      ["POST /api/v2/keys", "/api/v2/keys"],
      [
        "PUT /v2/:project_id/notifications/topics/:topic_urn/attributes/:name",
        `${topic}/attributes/introduction`,
      ],
      ["POST /api/v2/users", "/api/v2/users"],
    ],
  );
  assert.equal(entries[0]?.requestId, removed.headers["x-request-id"]);
  assert.ok(entries.every(({ userName }) => userName === "admin"));
  const filtered = await call(
    "GET",
    "/api/v2/audit?action=POST%20/api/v2/users",
  );
  assert.equal(filtered.body.entries.length, 1);
});

test("phone numbers are masked in the audit log", async () => {
  await using server = await startTestServer();
  const { call } = server;
  for (const path of [
    "opt-outs/+491700000123",
    "opt-outs/%2B%3491700000123",
    "opt%2Douts/+491700000123",
  ]) {
    await call("POST", "/api/v2/opt-outs", { recipient: "+491700000123" });
    await call("DELETE", `/api/v2/${path}`);
    const { body } = await call("GET", "/api/v2/audit?limit=1");
    assert.equal(body.entries[0].target, "/api/v2/opt-outs/+49***123");
  }
});

test("another domain's entries are not shown, and members see none", async () => {
  await using server = await startTestServer();
  const make = async (path: string, body: object) =>
    (await server.call("POST", `/api/v2/${path}`, body)).body;
  const { id: domainId } = await make("domains", { name: "acme" });
  const { id: projectId } = await make("projects", { name: "p", domainId });
  for (const [role, expected] of [
    ["admin", 200],
    ["member", 403],
  ] as const) {
    const { id: userId } = await make("users", {
      name: role,
      domainId,
      role,
      projectIds: [projectId],
    });
    const pair = await make("access-keys", { userId, projectId });
    const { statusCode, body } = await server.app.inject({
      url: "/api/v2/audit",
      headers: {
        authorization: `Basic ${Buffer.from(`${pair.accessKey}:${pair.secretKey}`).toString("base64")}`,
      },
    });
    assert.equal(statusCode, expected);
    if (expected === 200) assert.deepEqual(JSON.parse(body).entries, []);
  }
});
