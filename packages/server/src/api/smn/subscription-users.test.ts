import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";
import { permissions, type ReachKind } from "../../identity/permissions.ts";

async function setUp() {
  const server = await startTestServer();
  const { base, call } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const who = await call("GET", "/api/v2/whoami");
  const url = `/v2/${who.body.domainId}/subscription-users`;
  const add = `${base}/topics/${server.topicUrn("a")}/subscriptions/from-subscription-users`;
  return { server, url, add };
}

const onCall = {
  name: "On call",
  protocol: "sms",
  endpoint: "+491700000001",
  remark: "night",
};

test("names are spelt with the joiners that their script needs", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  for (const name of ["می\u200cخواهم", "👨\u200d👩\u200d👧", "שלום\u200f"]) {
    const made = await server.call("POST", url, { ...onCall, name });
    assert.equal(made.status, 201, name);
  }
  for (const name of ["a\nb", "a\u2028b", "\u0085", " "]) {
    const refused = await server.call("POST", url, { ...onCall, name });
    assert.equal(refused.status, 400, JSON.stringify(name));
  }
});

test("the book is written, read and torn", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const { call } = server;
  const made = await call("POST", url, onCall);
  assert.equal(made.status, 201);
  const { id } = made.body;
  assert.match(id, /^[0-9a-f]{32}$/);
  await call("POST", url, { ...onCall, name: "Ops", remark: undefined });
  const { body } = await call("GET", `${url}?limit=1`);
  assert.equal(body.subscription_user_count, 2);
  assert.deepEqual(body.subscription_users, [
    { id, ...onCall, create_time: "2026-01-01T00:00:00Z" },
  ]);
  assert.equal((await call("DELETE", `${url}/${id}`)).status, 200);
  const again = await call("DELETE", `${url}/${id}`);
  assert.equal(again.body.code, "SMN.00290");
  assert.equal((await call("GET", url)).body.subscription_user_count, 1);
});

test("refuses users that cannot be subscribed, and other domains", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  for (const [change, code] of [
    [{ name: "" }, "SMN.0043"],
    [{ name: "a\nb" }, "SMN.0043"],
    [{ protocol: "pigeon" }, "SMN.0011"],
    [{ endpoint: "0170" }, "SMN.0012"],
    [{ remark: "x".repeat(129) }, "SMN.0017"],
  ] as const) {
    const { status, body } = await server.call("POST", url, {
      ...onCall,
      ...change,
    });
    assert.deepEqual([status, body.code], [400, code]);
  }
  const elsewhere = `/v2/${"f".repeat(32)}/subscription-users`;
  const foreign = await server.call("POST", elsewhere, onCall);
  assert.deepEqual([foreign.status, foreign.body.code], [403, "SMN.0001"]);
  const unknown = await server.app.inject({ method: "GET", url });
  assert.equal(unknown.statusCode, 401);
});

test("subscribes users to a topic and answers for each", async () => {
  const { server, url, add } = await setUp();
  await using _ = server;
  const { body: user } = await server.call("POST", url, onCall);
  const ids = [user.id, "unknown"];
  const first = await server.call("POST", add, { ids });
  assert.equal(first.status, 200);
  const [added, missing] = first.body.subscriptions_result;
  assert.equal(added.http_code, 201);
  assert.match(added.subscription_urn, /:a:[0-9a-f]{32}$/);
  assert.deepEqual([missing.http_code, missing.error_code], [400, "SMN.00290"]);
  const again = await server.call("POST", add, { ids: [user.id] });
  assert.equal(again.body.subscriptions_result[0].http_code, 200);

  const { body } = await server.call("GET", `${server.base}/subscriptions`);
  const [subscription] = body.subscriptions;
  assert.deepEqual(
    [subscription.endpoint, subscription.remark, subscription.status],
    [onCall.endpoint, "night", 0],
  );
  for (const wrong of [
    {},
    { ids: [] },
    { ids: [5] },
    { ids: Array(51).fill("x") },
  ]) {
    assert.equal((await server.call("POST", add, wrong)).status, 400);
  }
});

test("members see their project's users, admins the domain's", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const { call } = server;
  const { body: other } = await call("POST", "/api/v2/projects", {
    name: "other",
  });
  const { body: mine } = await call("POST", url, onCall);
  const as = async (role: "member" | "admin") => {
    const { body: user } = await call("POST", "/api/v2/users", {
      name: `the ${role}`,
      role,
      projectIds: [other.id],
    });
    const { body: key } = await call("POST", "/api/v2/access-keys", {
      userId: user.id,
      projectId: other.id,
    });
    const pair = Buffer.from(`${key.accessKey}:${key.secretKey}`);
    const headers = { authorization: `Basic ${pair.toString("base64")}` };
    return async (
      method: "GET" | "POST" | "DELETE",
      path: string,
      payload?: object,
    ) =>
      (
        await server.app.inject({
          method,
          url: path,
          headers,
          ...(payload && { payload }),
        })
      ).json();
  };
  const member = await as("member");
  const admin = await as("admin");
  const theirs = await member("POST", url, {
    ...onCall,
    name: "Theirs",
    endpoint: "+491700000002",
  });
  const namesIn = (list: { subscription_users: { name: string }[] }) =>
    list.subscription_users.map(({ name }) => name);
  assert.deepEqual(namesIn(await member("GET", url)), ["Theirs"]);
  assert.deepEqual(namesIn(await admin("GET", url)), ["On call", "Theirs"]);
  const topics = `/v2/${other.id}/notifications/topics`;
  const { topic_urn } = await member("POST", topics, { name: "b" });
  const add = `${topics}/${topic_urn}/subscriptions/from-subscription-users`;
  const codes = async (ask: typeof member) =>
    (
      await ask("POST", add, { ids: [mine.id, theirs.id] })
    ).subscriptions_result.map(
      ({ http_code }: { http_code: number }) => http_code,
    );
  assert.deepEqual(await codes(member), [400, 201]);
  const refused = await member("DELETE", `${url}/${mine.id}`);
  assert.equal(refused.code, "SMN.00290");
  assert.deepEqual(await codes(admin), [201, 200]);
  await admin("DELETE", `${url}/${theirs.id}`);
  assert.deepEqual(namesIn(await admin("GET", url)), ["On call"]);
});

test("deleting and subscribing reach as far as their operations", async (t) => {
  const { server, url, add } = await setUp();
  await using _ = server;
  const { call } = server;
  const made = async () => (await call("POST", url, onCall)).body.id;
  const foreign = await made();
  const { body: project } = await call("POST", "/api/v2/projects", {
    name: "p",
    domainId: server.domainId,
  });
  const { body: user } = await call("POST", "/api/v2/users", {
    name: "ann",
    domainId: server.domainId,
    role: "admin",
  });
  const { body: pair } = await call("POST", "/api/v2/access-keys", {
    userId: user.id,
    projectId: project.id,
  });
  const authorization = `Basic ${Buffer.from(`${pair.accessKey}:${pair.secretKey}`).toString("base64")}`;
  const reach = (
    operation: "subscription-users.read" | "subscription-users.delete",
    role: "admin" | "operator",
    kind: ReachKind,
  ) => {
    const permission: Record<string, unknown> = permissions[operation];
    const before = permission[role];
    permission[role] = kind;
    t.after(() => {
      permission[role] = before;
    });
  };
  // The table with other reaches than today's.
  reach("subscription-users.delete", "admin", "project");
  const deleted = await server.app.inject({
    method: "DELETE",
    url: `${url}/${foreign}`,
    headers: { authorization },
  });
  assert.equal(deleted.json().code, "SMN.00290");
  reach("subscription-users.read", "operator", "none");
  const { status } = await call("POST", add, { ids: [foreign] });
  assert.equal(status, 403);
});
