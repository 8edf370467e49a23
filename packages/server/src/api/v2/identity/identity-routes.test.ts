import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError } from "@carillon/core";
import { type FailurePlan, failing, MemoryStore } from "@carillon/testing";
import {
  parse,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from "../../../../test-support/test-server.ts";
import { keysSetting } from "../../../keys/keys.ts";

type Headers = Readonly<Record<string, string>>;

function keyPair(key: { accessKey: string; secretKey: string }): Headers {
  const pair = Buffer.from(`${key.accessKey}:${key.secretKey}`);
  return { authorization: `Basic ${pair.toString("base64")}` };
}

async function setUp(options: TestServerOptions = {}) {
  const server = await startTestServer(options);
  const ask = async (
    headers: Headers,
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" = "GET",
    url = "/api/v2/whoami",
    body?: unknown,
  ) => {
    const response = await server.app.inject({
      method,
      url,
      headers,
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      // biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
      body: parse(response.body) as any,
    };
  };
  /** 200 while they are good. */
  const statusOf = async (headers: Headers) => (await ask(headers)).status;
  const logIn = async (user: object, scope?: object) => {
    const { status, headers } = await ask({}, "POST", "/v3/auth/tokens", {
      auth: {
        identity: { methods: ["password"], password: { user } },
        ...(scope && { scope }),
      },
    });
    return { status, token: String(headers["x-subject-token"] ?? "") };
  };
  return { server, ask, statusOf, logIn };
}

/** A member in a project of its own, with a key and a token. */
async function addMember(
  { call }: TestServer,
  logIn: Awaited<ReturnType<typeof setUp>>["logIn"],
) {
  const project = (await call("POST", "/api/v2/projects", { name: "shop" }))
    .body;
  const user = (
    await call("POST", "/api/v2/users", {
      name: "ann",
      password: "correct horse",
      projectIds: [project.id],
    })
  ).body;
  const key = (await call("POST", "/api/v2/access-keys", { userId: user.id }))
    .body;
  const credentials = {
    name: "ann",
    domain: { name: "default" },
    password: "correct horse",
  };
  const { token } = await logIn(credentials);
  return {
    project,
    user,
    key,
    credentials,
    byKey: keyPair(key),
    byToken: { "x-auth-token": token },
  };
}

test("a made-up password is shown once and works", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const created = await server.call("POST", "/api/v2/users", { name: "ann" });
  assert.equal(created.status, 201);
  assert.equal(created.body.role, "member");
  const { id, password } = created.body;
  const user = { name: "ann", domain: { name: "default" }, password };
  assert.equal((await logIn(user, { unscoped: {} })).status, 201);
  const shown = await server.call("GET", `/api/v2/users/${id}`);
  assert.deepEqual(Object.keys(shown.body).sort(), [
    "domainId",
    "enabled",
    "id",
    "name",
    "projectIds",
    "role",
  ]);
});

test("a new member acts in its project and in no other", async () => {
  const { server, ask, logIn } = await setUp();
  await using _ = server;
  const { project, byKey, byToken } = await addMember(server, logIn);
  for (const headers of [byKey, byToken]) {
    const { body } = await ask(headers);
    assert.deepEqual(
      [body.userName, body.role, body.projectId],
      ["ann", "member", project.id],
    );
    const own = `/v2/${project.id}/notifications/topics`;
    assert.equal((await ask(headers, "GET", own)).status, 200);
    const other = await ask(headers, "GET", `${server.base}/topics`);
    assert.equal(other.status, 403);
  }
});

test("members manage nobody", async () => {
  const { server, ask, logIn } = await setUp();
  await using _ = server;
  const { user, key, project, byKey } = await addMember(server, logIn);
  for (const [method, path] of [
    ["GET", "users"],
    ["POST", "users"],
    ["PATCH", `users/${user.id}`],
    ["POST", `users/${user.id}/rotate`],
    ["PUT", `users/${user.id}/projects/${server.credentials.project.id}`],
    ["GET", "projects"],
    ["DELETE", `projects/${project.id}`],
    ["GET", "domains"],
    ["GET", "access-keys"],
    ["POST", `access-keys/${key.accessKey}/rotate`],
  ] as const) {
    const refused = await ask(byKey, method, `/api/v2/${path}`, {});
    assert.equal(refused.status, 403, path);
    assert.equal(refused.body.code, "PERMISSION_DENIED");
  }
});

test("a disabled user is out at once, until it is enabled", async () => {
  const { server, statusOf, logIn } = await setUp();
  await using _ = server;
  const { user, credentials, byKey, byToken } = await addMember(server, logIn);
  assert.equal(await statusOf(byKey), 200);
  assert.equal(await statusOf(byToken), 200);
  const path = `/api/v2/users/${user.id}`;
  const disabled = await server.call("PATCH", path, { enabled: false });
  assert.equal(disabled.body.enabled, false);
  assert.equal(await statusOf(byKey), 401);
  assert.equal(await statusOf(byToken), 401);
  assert.equal((await logIn(credentials)).status, 401);
  await server.call("PATCH", path, { enabled: true });
  assert.equal(await statusOf(byKey), 200);
  assert.equal(await statusOf(byToken), 401, "its tokens are gone");
  assert.equal((await logIn(credentials)).status, 201);
});

test("what is disabled takes what depends on it along", async () => {
  const { server, statusOf, logIn } = await setUp();
  await using _ = server;
  const { call } = server;
  const { project, key, byKey, byToken } = await addMember(server, logIn);
  for (const [path, headers] of [
    [`projects/${project.id}`, [byKey, byToken]],
    [`access-keys/${key.accessKey}`, [byKey]],
  ] as const) {
    await call("PATCH", `/api/v2/${path}`, { enabled: false });
    for (const each of headers) assert.equal(await statusOf(each), 401, path);
    await call("PATCH", `/api/v2/${path}`, { enabled: true });
    for (const each of headers) assert.equal(await statusOf(each), 200, path);
  }
});

test("a disabled domain has no users", async () => {
  const { server, statusOf, logIn } = await setUp();
  await using _ = server;
  const { call } = server;
  const domain = (await call("POST", "/api/v2/domains", { name: "acme" })).body;
  const user = (
    await call("POST", "/api/v2/users", { name: "bob", domainId: domain.id })
  ).body;
  const credentials = {
    name: "bob",
    domain: { name: "acme" },
    password: user.password,
  };
  const { token } = await logIn(credentials);
  const headers = { "x-auth-token": token };
  assert.equal(await statusOf(headers), 200);
  await call("PATCH", `/api/v2/domains/${domain.id}`, { enabled: false });
  assert.equal(await statusOf(headers), 401);
  assert.equal((await logIn(credentials)).status, 401);
});

test("what is rotated replaces what was known", async () => {
  const { server, statusOf, logIn } = await setUp();
  await using _ = server;
  const { call } = server;
  const { user, key, credentials, byKey, byToken } = await addMember(
    server,
    logIn,
  );
  const path = `/api/v2/access-keys/${key.accessKey}/rotate`;
  const rotated = (await call("POST", path)).body;
  assert.equal(await statusOf(byKey), 401);
  assert.equal(await statusOf(keyPair(rotated)), 200);
  const { password } = (await call("POST", `/api/v2/users/${user.id}/rotate`))
    .body;
  assert.equal(await statusOf(byToken), 401);
  assert.equal((await logIn(credentials)).status, 401);
  assert.equal((await logIn({ ...credentials, password })).status, 201);
});

test("an assignment taken away stops keys and tokens for it", async () => {
  const { server, statusOf, logIn } = await setUp();
  await using _ = server;
  const { user, project, credentials, byKey, byToken } = await addMember(
    server,
    logIn,
  );
  const path = `/api/v2/users/${user.id}/projects/${project.id}`;
  assert.deepEqual((await server.call("DELETE", path)).body.projectIds, []);
  assert.equal(await statusOf(byKey), 401);
  assert.equal(await statusOf(byToken), 401);
  const scope = { project: { id: project.id } };
  assert.equal((await logIn(credentials, scope)).status, 401);
  await server.call("PUT", path);
  assert.equal(await statusOf(byKey), 200);
  assert.equal((await logIn(credentials, scope)).status, 201);
});

test("what is deleted is gone, and so is what hung on it", async () => {
  const { server, statusOf, logIn } = await setUp();
  await using _ = server;
  const { call } = server;
  const { user, project, key, byKey, byToken } = await addMember(server, logIn);
  const gone = async (path: string) => {
    assert.equal((await call("DELETE", `/api/v2/${path}`)).status, 204);
    assert.equal((await call("GET", `/api/v2/${path}`)).status, 404);
  };
  await gone(`access-keys/${key.accessKey}`);
  assert.equal(await statusOf(byKey), 401);
  await gone(`users/${user.id}`);
  assert.equal(await statusOf(byToken), 401);
  await gone(`projects/${project.id}`);
});

test("a project with topics and a domain with users are not deleted", async () => {
  const { server, ask, logIn } = await setUp();
  await using _ = server;
  const { user, project, byKey } = await addMember(server, logIn);
  const path = `/v2/${project.id}/notifications/topics`;
  const topic = await ask(byKey, "POST", path, {
    name: "t",
    display_name: "",
  });
  assert.equal(topic.status, 201);
  for (const path of [`projects/${project.id}`, `domains/${user.domainId}`]) {
    const refused = await server.call("DELETE", `/api/v2/${path}`);
    assert.equal(refused.status, 409);
    assert.equal(refused.body.code, "IDENTITY_IN_USE");
  }
  assert.equal(
    (await server.call("GET", `/api/v2/projects/${project.id}`)).status,
    200,
  );
});

test("templates and keys go with their project, for good", async () => {
  const { server, ask, logIn } = await setUp();
  await using _ = server;
  const { project, byKey } = await addMember(server, logIn);
  const base = `/v2/${project.id}/notifications`;
  const template = await ask(byKey, "POST", `${base}/message_template`, {
    message_template_name: "t",
    protocol: "default",
    content: "Hello {name}",
  });
  assert.equal(template.status, 201);
  const key = await ask(byKey, "POST", "/api/v2/keys", { name: "k" });
  assert.equal(key.status, 201);
  const kept = async () => ({
    templates: (
      await server.store.listTemplates(project.id, {}, { offset: 0, limit: 10 })
    ).total,
    keys: JSON.parse(
      (await server.store.findSetting(keysSetting))?.value ?? "[]",
    ).length,
  });
  assert.deepEqual(await kept(), { templates: 1, keys: 1 });
  const path = `/api/v2/projects/${project.id}`;
  assert.equal((await server.call("DELETE", path)).status, 204);
  assert.deepEqual(await kept(), { templates: 0, keys: 0 });
  const again = await server.call("POST", "/api/v2/projects", {
    name: "again",
    id: project.id,
  });
  assert.equal(again.status, 409);
  assert.match(again.body.detail, /was deleted/);
});

test("a project whose keys cannot be written away is deleted, and the audit log says so", async () => {
  const plan: FailurePlan = {};
  const store = failing(new MemoryStore(), plan);
  const { server, ask, logIn } = await setUp({ store });
  await using _ = server;
  const { project, byKey } = await addMember(server, logIn);
  const key = await ask(byKey, "POST", "/api/v2/keys", { name: "k" });
  assert.equal(key.status, 201);
  const error = new CarillonError("STORAGE_FULL");
  plan.putSetting = { error, times: 1 };
  const path = `/api/v2/projects/${project.id}`;
  assert.equal((await server.call("DELETE", path)).status, 204);
  assert.equal((await server.call("GET", path)).status, 404);
  const { body } = await server.call("GET", "/api/v2/audit?limit=1");
  const [{ action, target }] = body.entries;
  assert.deepEqual([action, target], ["project.delete", path]);
  assert.ok(
    server.complaints.some(({ event }) => event === "keys_not_deleted"),
  );
});

test("somebody is always left to manage identity", async () => {
  const { server } = await setUp();
  await using _ = server;
  const { call } = server;
  const { userId, domainId } = (await call("GET", "/api/v2/whoami")).body;
  const path = `/api/v2/users/${userId}`;
  for (const refused of [
    await call("PATCH", path, { enabled: false }),
    await call("PATCH", path, { role: "member" }),
    await call("DELETE", path),
    await call("PATCH", `/api/v2/domains/${domainId}`, { enabled: false }),
  ]) {
    assert.equal(refused.status, 409);
    assert.equal(refused.body.code, "LAST_OPERATOR");
  }
  const { body: eve } = await call("POST", "/api/v2/users", {
    name: "eve",
    role: "operator",
  });
  await call("POST", "/api/v2/access-keys", {
    userId: eve.id,
    projectId: server.credentials.project.id,
  });
  const changed = await call("PATCH", path, { role: "member" });
  assert.equal(changed.body.role, "member");
});

test("an operator's access key that works is always left", async () => {
  const { server, ask } = await setUp();
  await using _ = server;
  const { call, credentials } = server;
  const { userId } = (await call("GET", "/api/v2/whoami")).body;
  const { body: eve } = await call("POST", "/api/v2/users", {
    name: "eve",
    role: "operator",
  });
  const own = `/api/v2/access-keys/${credentials.accessKey}`;
  const project = `/api/v2/projects/${credentials.project.id}`;
  const attempts = () =>
    Promise.all([
      call("PATCH", own, { enabled: false }),
      call("DELETE", own),
      call("PATCH", project, { enabled: false }),
      call("DELETE", project),
      // The other operator has no key.
      call("PATCH", `/api/v2/users/${userId}`, { enabled: false }),
      call("PATCH", `/api/v2/users/${userId}`, { role: "admin" }),
      call("DELETE", `/api/v2/users/${userId}`),
    ]);
  const check = async () => {
    for (const { status, body } of await attempts()) {
      assert.deepEqual([status, body.code], [409, "LAST_OPERATOR_KEY"]);
      assert.match(body.detail, /carillon recover/);
    }
  };
  await check();
  const keys = "/api/v2/access-keys";
  const projectId = credentials.project.id;
  const { body: other } = await call("POST", keys, {
    userId: eve.id,
    projectId,
  });
  // Neither one that is disabled counts, nor a member's.
  const path = `${keys}/${other.accessKey}`;
  assert.equal((await call("PATCH", path, { enabled: false })).status, 200);
  const { body: ann } = await call("POST", "/api/v2/users", {
    name: "ann",
    projectIds: [projectId],
  });
  await call("POST", keys, { userId: ann.id });
  await check();
  await call("PATCH", path, { enabled: true });
  assert.equal((await call("DELETE", own)).status, 204);
  const { status } = await ask(keyPair(other), "DELETE", path);
  assert.equal(status, 409);
});

/** An administrator of the operator's own domain. */
async function addAdmin({ call }: TestServer) {
  const { body } = await call("POST", "/api/v2/users", {
    name: "adam",
    role: "admin",
  });
  const key = (await call("POST", "/api/v2/access-keys", { userId: body.id }))
    .body;
  return { admin: body, byAdmin: keyPair(key) };
}

test("the id of a deleted project is not given to another", async () => {
  const { server } = await setUp();
  await using _ = server;
  const id = "c".repeat(32);
  const create = (name: string) =>
    server.call("POST", "/api/v2/projects", { name, id });
  assert.equal((await create("first")).status, 201);
  await server.call("DELETE", `/api/v2/projects/${id}`);
  const again = await create("second");
  assert.deepEqual([again.status, again.body.code], [409, "IDENTITY_EXISTS"]);
});

test("an administrator makes and changes no operators", async () => {
  const { server, ask, logIn } = await setUp();
  await using _ = server;
  const { byAdmin, admin } = await addAdmin(server);
  const { user: member } = await addMember(server, logIn);
  const operator = (await server.call("GET", "/api/v2/whoami")).body;
  const { accessKey } = server.credentials;
  for (const [method, path, body] of [
    ["POST", "users", { name: "x", role: "operator" }],
    ["PATCH", `users/${admin.id}`, { role: "operator" }],
    ["PATCH", `users/${member.id}`, { role: "operator" }],
    ["PATCH", `users/${operator.userId}`, { role: "member" }],
    ["PATCH", `users/${operator.userId}`, { enabled: false }],
    ["POST", `users/${operator.userId}/rotate`, {}],
    ["DELETE", `users/${operator.userId}`],
    ["PUT", `users/${operator.userId}/projects/${operator.projectId}`],
    ["DELETE", `users/${operator.userId}/projects/${operator.projectId}`],
    ["POST", "access-keys", { userId: operator.userId }],
    ["PATCH", `access-keys/${accessKey}`, { enabled: false }],
    ["POST", `access-keys/${accessKey}/rotate`],
    ["DELETE", `access-keys/${accessKey}`],
    // Its key stops working with its project.
    ["PATCH", `projects/${operator.projectId}`, { enabled: false }],
    ["DELETE", `projects/${operator.projectId}`],
  ] as const) {
    const refused = await ask(byAdmin, method, `/api/v2/${path}`, body);
    assert.equal(refused.status, 403, `${method} ${path}`);
  }
  const { body } = await server.call("GET", "/api/v2/whoami");
  assert.deepEqual(body, operator);
  // The same of others it may.
  for (const [method, path, body] of [
    ["POST", "users", { name: "y", role: "admin" }],
    ["PATCH", `users/${member.id}`, { role: "admin" }],
    ["POST", `users/${member.id}/rotate`, {}],
  ] as const) {
    const done = await ask(byAdmin, method, `/api/v2/${path}`, body);
    assert.ok(done.status < 300, `${method} ${path}`);
  }
});

test("an operator acts in projects of other domains, an admin does not", async () => {
  const { server, ask, statusOf, logIn } = await setUp();
  await using _ = server;
  const { call } = server;
  const acme = (await call("POST", "/api/v2/domains", { name: "acme" })).body;
  const project = (
    await call("POST", "/api/v2/projects", { name: "a", domainId: acme.id })
  ).body;
  const { user } = server.credentials;
  const operator = { ...user, domain: { name: "default" } };
  const admin = { name: "adam", domain: { name: "default" }, password: "" };
  const { id, password } = (
    await call("POST", "/api/v2/users", { name: "adam", role: "admin" })
  ).body;
  for (const scope of [
    { project: { id: project.id } },
    { project: { name: "a", domain: { name: "acme" } } },
  ]) {
    const { status, token } = await logIn(operator, scope);
    assert.equal(status, 201);
    const { body } = await ask({ "x-auth-token": token });
    assert.deepEqual([body.projectId, body.role], [project.id, "operator"]);
    assert.equal((await logIn({ ...admin, password }, scope)).status, 401);
  }
  // By name alone its own domain's are meant.
  const wrong = await logIn(operator, { project: { name: "a" } });
  assert.equal(wrong.status, 401);
  const refused = await call("POST", "/api/v2/access-keys", {
    userId: id,
    projectId: project.id,
  });
  assert.equal(refused.body.code, "IDENTITY_INVALID");
  const { userId } = (await call("GET", "/api/v2/whoami")).body;
  const own = await call("POST", "/api/v2/access-keys", {
    userId,
    projectId: project.id,
  });
  assert.equal(own.status, 201);
  assert.equal(await statusOf(keyPair(own.body)), 200);
  // A domain that is disabled has no projects to act in.
  await call("PATCH", `/api/v2/domains/${acme.id}`, { enabled: false });
  assert.equal(await statusOf(keyPair(own.body)), 401);
});

test("names are unique where they are looked up", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { call } = server;
  await addMember(server, logIn);
  const domain = (await call("POST", "/api/v2/domains", { name: "acme" })).body;
  for (const [path, body, status] of [
    ["users", { name: "ann" }, 409],
    ["users", { name: "ann", domainId: domain.id }, 201],
    ["projects", { name: "shop" }, 409],
    ["projects", { name: "shop", domainId: domain.id }, 201],
    ["projects", { name: "x", id: server.credentials.project.id }, 409],
    ["domains", { name: "default" }, 409],
  ] as const) {
    const answer = await call("POST", `/api/v2/${path}`, body);
    assert.equal(answer.status, status, JSON.stringify([path, body]));
  }
});

test("what makes no sense is refused", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { call } = server;
  const { user } = await addMember(server, logIn);
  const other = (await call("POST", "/api/v2/domains", { name: "acme" })).body;
  const foreign = (
    await call("POST", "/api/v2/projects", { name: "x", domainId: other.id })
  ).body;
  for (const [path, body] of [
    ["users", {}],
    ["users", { name: "" }],
    ["users", { name: " x" }],
    ["users", { name: "x\ny" }],
    ["users", { name: "x", role: "root" }],
    ["users", { name: "x", password: "short" }],
    ["users", { name: "x", domainId: "none" }],
    ["users", { name: "x", projectIds: [foreign.id] }],
    ["projects", { name: "x", id: "zz" }],
    ["projects", { name: "x", domainId: "none" }],
    ["domains", { name: "x".repeat(65) }],
    ["access-keys", { userId: "none" }],
    ["access-keys", { userId: user.id, projectId: foreign.id }],
    [`users/${user.id}/rotate`, { password: "short" }],
  ] as const) {
    const refused = await call("POST", `/api/v2/${path}`, body);
    assert.equal(refused.status, 400, JSON.stringify([path, body]));
  }
  const path = `/api/v2/users/${user.id}/projects/${foreign.id}`;
  assert.equal((await call("PUT", path)).status, 400);
  for (const path of ["users/x", "projects/x", "domains/x", "access-keys/x"]) {
    const missing = await call("GET", `/api/v2/${path}`);
    assert.equal(missing.body.code, "IDENTITY_NOT_FOUND", path);
  }
});

test("secrets are neither in the store nor in lists", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { key } = await addMember(server, logIn);
  const kept = JSON.stringify([
    await server.store.listUsers(),
    await server.store.listAccessKeys(),
  ]);
  const shown = JSON.stringify([
    (await server.call("GET", "/api/v2/users")).body,
    (await server.call("GET", "/api/v2/access-keys")).body,
  ]);
  for (const text of [kept, shown]) {
    assert.ok(!text.includes(key.secretKey));
    assert.ok(!text.includes("correct horse"));
  }
  assert.doesNotMatch(shown, /argon2|encrypted/);
});

test("lists are narrowed by what is asked for", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { user, project, key } = await addMember(server, logIn);
  const list = async (path: string) =>
    (await server.call("GET", `/api/v2/${path}`)).body;
  const { users } = await list("users?name=ann");
  assert.deepEqual(
    users.map(({ id }: { id: string }) => id),
    [user.id],
  );
  for (const query of [`userId=${user.id}`, `projectId=${project.id}`]) {
    const { accessKeys } = await list(`access-keys?${query}`);
    assert.deepEqual(
      accessKeys.map(({ accessKey }: { accessKey: string }) => accessKey),
      [key.accessKey],
    );
  }
  assert.equal((await list("projects")).projects.length, 2);
  assert.equal((await list("projects?domainId=none")).projects.length, 0);
});
