import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";
import { startTestServer } from "../../test-support/test-server.ts";
import { auditActionNames } from "../identity/audit-actions.ts";
import type { AuditLog } from "../identity/audit-log.ts";
import { auditRoutes } from "./audited-routes.ts";

interface Entry {
  readonly action: string;
  readonly target: string;
  readonly userName: string;
  readonly requestId: string;
  readonly count: number;
  readonly details?: Readonly<Record<string, string>>;
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
      ["user.delete", `/api/v2/users/${user.id}`],
      ["key.disable", `/api/v2/keys/${key.id}/disable`],
      ["key.create", "/api/v2/keys"],
      ["topic-attribute.set", `${topic}/attributes/introduction`],
      ["user.create", "/api/v2/users"],
    ],
  );
  assert.equal(entries[0]?.requestId, removed.headers["x-request-id"]);
  assert.ok(entries.every(({ userName }) => userName === "admin"));
  const filtered = await call("GET", "/api/v2/audit?action=user.create");
  assert.equal(filtered.body.entries.length, 1);
});

test("entries have what was made or set, and no secrets", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  const make = async (path: string, body: object) =>
    (await call("POST", `/api/v2/${path}`, body)).body;
  const domain = await make("domains", { name: "acme" });
  const project = await make("projects", { name: "p", domainId: domain.id });
  const user = await make("users", {
    name: "ann",
    domainId: domain.id,
    projectIds: [project.id],
    password: "a secret password",
  });
  const pair = await make("access-keys", { userId: user.id });
  const sealing = await make("keys", { name: "k" });
  const rotated = await make("signing-keys/rotate", {});
  await make("opt-outs", { recipient: "+491700000123" });
  await call("POST", `${base}/topics`, { name: "alerts" });
  const topic = `${base}/topics/${server.topicUrn("alerts")}`;
  const { body: binding } = await call("POST", `${topic}/kms`, {
    key_id: sealing.id,
  });
  const { body: subscription } = await call("POST", `${topic}/subscriptions`, {
    protocol: "sms",
    endpoint: "+491700000124",
  });
  const { subscription_urn } = subscription;
  await call("POST", `${base}/subscriptions/filter_polices`, {
    polices: [
      {
        subscription_urn,
        filter_polices: [{ name: "n", string_equals: ["secret"] }],
      },
    ],
  });
  await call("PATCH", `/api/v2/access-keys/${pair.accessKey}`, {
    enabled: false,
  });
  for (const change of [
    { role: "admin" },
    { enabled: false },
    { enabled: true },
    { role: "member" },
    { role: "member" },
  ]) {
    await call("PATCH", `/api/v2/users/${user.id}`, change);
    server.clock.advance(1000);
  }
  await server.clock.advanceSettled(60_000);
  const { body } = await call("GET", "/api/v2/audit");
  const entries: Entry[] = body.entries.toReversed();
  assert.deepEqual(
    entries.map(({ action, details, count }) => [action, details, count]),
    [
      ["domain.create", { id: domain.id, name: "acme" }, 1],
      ["project.create", { id: project.id, name: "p" }, 1],
      [
        "user.create",
        { id: user.id, name: "ann", role: "member", projectIds: project.id },
        1,
      ],
      [
        "access-key.create",
        { accessKey: pair.accessKey, userId: user.id, projectId: project.id },
        1,
      ],
      ["key.create", { id: sealing.id, name: "k" }, 1],
      ["signing-key.rotate", { certificateId: rotated.certificateId }, 1],
      ["opt-out.add", { recipient: "+49***123" }, 1],
      ["key-binding.create", { id: binding.id, key_id: sealing.id }, 1],
      ["filter-policy.create", { subscription_urns: subscription_urn }, 1],
      ["access-key.change", { enabled: "false" }, 1],
      ["user.change", { role: "admin" }, 1],
      ["user.change", { enabled: "false" }, 1],
      ["user.change", { enabled: "true" }, 1],
      ["user.change", { role: "member" }, 1],
      ["user.change", { role: "member" }, 1],
    ],
  );
  assert.doesNotMatch(JSON.stringify(body), /secret/);
  assert.ok(!JSON.stringify(body).includes(pair.secretKey));
});

test("entries are listed by their times, page by page", async () => {
  await using server = await startTestServer();
  const { base, call, clock } = server;
  await call("POST", `${base}/topics`, { name: "alerts" });
  const path = `${base}/topics/${server.topicUrn("alerts")}/attributes/introduction`;
  for (let i = 0; i < 5; i++) {
    await call("PUT", path, { value: "Hello" });
    await clock.advanceSettled(1000);
    await call("POST", "/api/v2/keys", { name: `k${i}` });
    await clock.advanceSettled(1000);
  }
  await clock.advanceSettled(60_000);
  const { entries } = (await call("GET", "/api/v2/audit")).body;
  const times = entries.map(({ at }: { at: string }) => at);
  assert.equal(times.length, 7);
  assert.deepEqual(times, times.toSorted().toReversed());
  const paged: Entry[] = [];
  for (let next = ""; next !== undefined; ) {
    const { body } = await call("GET", `/api/v2/audit?limit=1${next}`);
    paged.push(...body.entries);
    next = body.next && `&before=${body.next}`;
  }
  assert.deepEqual(paged, entries);
});

test("every action has a route, and every audited route an action", async () => {
  await using server = await startTestServer();
  const { call } = server;
  // One without an action would have ended the start.
  const described = (await call("GET", "/api/v2/openapi.json")).body;
  const parameters = described.paths["/api/v2/audit"].get.parameters;
  const { description } = parameters.find(
    ({ name }: { name: string }) => name === "action",
  );
  const source = await readFile(
    new URL("./audited-routes.ts", import.meta.url),
    "utf8",
  );
  for (const name of auditActionNames) {
    assert.ok(description.includes(name), name);
    const query = `action=${encodeURIComponent(name)}`;
    assert.equal((await call("GET", `/api/v2/audit?${query}`)).status, 200);
    // Counted, and written by the command line.
    if (!["login_refused", "operator.recover"].includes(name)) {
      assert.ok(source.includes(`"${name}",`), name);
    }
  }
  const app = fastify().withTypeProvider<TypeBoxTypeProvider>();
  await using _ = app;
  auditRoutes(app, {} as AuditLog, server.store);
  assert.throws(
    () => app.post("/api/v2/users/:userId/promote", async () => ""),
    /POST \/api\/v2\/users\/:userId\/promote has no audit action/,
  );
});

test("an unknown action is refused with those that there are", async () => {
  await using server = await startTestServer();
  const { status, body } = await server.call(
    "GET",
    "/api/v2/audit?action=user.creat",
  );
  assert.equal(status, 400);
  assert.equal(body.code, "REQUEST_INVALID");
  assert.match(body.detail, /no action "user\.creat".*user\.create, /);
});

test("admins see what operators of another domain do in theirs", async () => {
  await using server = await startTestServer();
  const { call } = server;
  const make = async (path: string, body: object) =>
    (await call("POST", `/api/v2/${path}`, body)).body;
  const { id: domainId } = await make("domains", { name: "acme" });
  const project = await make("projects", { name: "p", domainId });
  const admin = await make("users", { name: "adam", domainId, role: "admin" });
  const pair = await make("access-keys", {
    userId: admin.id,
    projectId: project.id,
  });
  const member = await make("users", { name: "ann", domainId });
  const [user, key] = [`users/${member.id}`, `access-keys/${pair.accessKey}`];
  await call("POST", `/api/v2/${user}/rotate`);
  await call("PUT", `/api/v2/${user}/projects/${project.id}`);
  await call("PATCH", `/api/v2/${key}`, { enabled: true });
  await call("PATCH", `/api/v2/projects/${project.id}`, { enabled: true });
  await call("PATCH", `/api/v2/domains/${domainId}`, { enabled: true });
  await call("DELETE", `/api/v2/${user}`);
  // Of no domain in particular, or of the operator's.
  await call("POST", "/api/v2/opt-outs", { recipient: "+491700000123" });
  await make("users", { name: "eve" });
  await make("keys", { name: "k" });
  const { body } = await server.app.inject({
    url: "/api/v2/audit",
    headers: {
      authorization: `Basic ${Buffer.from(`${pair.accessKey}:${pair.secretKey}`).toString("base64")}`,
    },
  });
  const entries: (Entry & { domainId: string })[] = JSON.parse(body).entries;
  assert.deepEqual(
    entries.map(({ action }) => action),
    [
      "user.delete",
      "domain.change",
      "project.change",
      "access-key.change",
      "user.assign",
      "user.rotate",
      "user.create",
      "access-key.create",
      "user.create",
      "project.create",
    ],
  );
  for (const entry of entries) {
    assert.equal(entry.userName, "admin");
    assert.equal(entry.domainId, domainId);
  }
  const all = (await call("GET", "/api/v2/audit")).body.entries;
  assert.equal(all.length, entries.length + 4);
});

test("setting again what is set already pushes nothing out", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  await call("POST", `${base}/topics`, { name: "alerts" });
  const path = `${base}/topics/${server.topicUrn("alerts")}/attributes/introduction`;
  for (let i = 0; i < 50; i++) await call("PUT", path, { value: "Hello" });
  await server.clock.advanceSettled(60_000);
  const { entries } = (await call("GET", "/api/v2/audit")).body;
  assert.deepEqual(
    entries.map(({ count }: { count: number }) => count),
    [49, 1],
  );
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
  const { id: other } = await make("domains", { name: "other" });
  await make("projects", { name: "q", domainId: other });
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
    if (expected === 403) continue;
    // All of it was about that domain.
    const { entries } = JSON.parse(body) as { entries: Entry[] };
    assert.deepEqual(
      entries.map(({ action }) => action),
      ["access-key.create", "user.create", "project.create"],
    );
  }
});
