import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
} from "../../../test-support/test-server.ts";

async function setUp(options: Parameters<typeof startTestServer>[0] = {}) {
  const server = await startTestServer(options);
  const { credentials, app } = server;
  const user = {
    name: credentials.user.name,
    password: credentials.user.password,
    domain: { name: credentials.domain },
  };
  const logIn = (auth: object, headers: Record<string, string> = {}) =>
    app.inject({
      method: "POST",
      url: "/v3/auth/tokens",
      headers,
      payload: { auth },
    });
  const identity = { methods: ["password"], password: { user } };
  return { server, user, identity, logIn };
}

async function tokenOf(server: TestServer, identity: object): Promise<string> {
  const response = await server.app.inject({
    method: "POST",
    url: "/v3/auth/tokens",
    payload: { auth: { identity } },
  });
  return String(response.headers["x-subject-token"]);
}

test("a log-in answers the token, its project and the catalogue", async () => {
  const { server, identity, logIn } = await setUp();
  await using _ = server;
  const { project } = server.credentials;
  const response = await logIn(
    {
      identity,
      scope: { project: { name: "default", domain: { name: "default" } } },
    },
    { host: "[::1]:7070" },
  );
  assert.equal(response.statusCode, 201);
  assert.match(String(response.headers["x-subject-token"]), /^[\w-]{43}$/);
  const { token } = response.json();
  assert.equal(token.issued_at, "2026-01-01T00:00:00.000000Z");
  assert.equal(token.expires_at, "2026-01-02T00:00:00.000000Z");
  assert.deepEqual(token.methods, ["password"]);
  assert.deepEqual(token.project.id, project.id);
  assert.deepEqual(token.project.domain, token.user.domain);
  const urls = token.catalog.map(
    (service: {
      type: string;
      endpoints: { interface: string; region: string; url: string }[];
    }) => [service.type, service.endpoints[0]?.url],
  );
  const origin = "http://[::1]:7070";
  assert.deepEqual(urls, [
    ["identity", `${origin}/v3`],
    ["smn", `${origin}/v2`],
    ["smnv2", `${origin}/v2/${project.id}`],
  ]);
  for (const { endpoints } of token.catalog) {
    const { interface: kind, region, region_id } = endpoints[0];
    assert.deepEqual([kind, region, region_id], ["public", "test-1", "test-1"]);
  }
});

test("links are made from the public address where there is one", async () => {
  const { server, identity, logIn } = await setUp({
    publicUrl: "https://smn.example.test/",
  });
  await using _ = server;
  const { token } = (await logIn({ identity })).json();
  assert.equal(
    token.catalog[0].endpoints[0].url,
    "https://smn.example.test/v3",
  );
});

test("a Host that is none makes no link", async () => {
  const { server } = await setUp();
  await using _ = server;
  for (const host of ['a"b', "a b", "a/b", "a@b", "x".repeat(300)]) {
    const response = await server.app.inject({ url: "/v2", headers: { host } });
    const { href } = response.json().version.links[0];
    assert.match(href, /^http:\/\/localhost:\d+\/v2$/, host);
  }
});

test("without a scope the only project is taken; on request, none", async () => {
  const { server, identity, logIn } = await setUp();
  await using _ = server;
  const scoped = (await logIn({ identity })).json().token;
  assert.equal(scoped.project.id, server.credentials.project.id);
  for (const scope of ["unscoped", { unscoped: {} }]) {
    const { token } = (await logIn({ identity, scope })).json();
    for (const member of ["project", "domain", "roles"]) {
      assert.equal(token[member], undefined, member);
    }
    assert.deepEqual(
      token.catalog.map(({ type }: { type: string }) => type),
      ["identity"],
    );
  }
});

test("wrong names, passwords, scopes and methods read the same", async () => {
  const { server, user, identity, logIn } = await setUp();
  await using _ = server;
  const withUser = (other: object) => ({
    identity: { ...identity, password: { user: { ...user, ...other } } },
  });
  const bodies = new Set<string>();
  for (const auth of [
    withUser({ password: "wrong" }),
    withUser({ name: "nobody" }),
    withUser({ domain: { name: "other" } }),
    { identity, scope: { project: { name: "other" } } },
    { identity, scope: { project: { id: "f".repeat(32) } } },
    { identity, scope: { domain: { name: "other" } } },
    { identity: { methods: ["totp"] } },
    { identity: { methods: ["token"], token: { id: "unknown" } } },
  ]) {
    const response = await logIn(auth);
    assert.equal(response.statusCode, 401, JSON.stringify(auth));
    assert.equal(response.headers["x-subject-token"], undefined);
    bodies.add(response.body);
  }
  assert.equal(bodies.size, 1);
  const [body = ""] = bodies;
  assert.equal(JSON.parse(body).error.code, 401);
  assert.equal(JSON.parse(body).error.title, "Unauthorized");
});

test("wrong passwords slow the address down that they come from", async () => {
  const { server, user, identity } = await setUp();
  await using _ = server;
  const from = (remoteAddress: string, identity: object) =>
    server.app.inject({
      method: "POST",
      url: "/v3/auth/tokens",
      remoteAddress,
      payload: { auth: { identity } },
    });
  for (const name of [user.name, "nobody"]) {
    const wrong = {
      methods: ["password"],
      password: { user: { ...user, name, password: "wrong" } },
    };
    for (let i = 0; i < 5; i++) {
      assert.equal((await from("192.0.2.1", wrong)).statusCode, 401);
    }
    const answer = await from("192.0.2.1", wrong);
    assert.equal(answer.statusCode, 429);
    assert.equal(answer.headers["retry-after"], "1");
    assert.deepEqual(answer.json().error.title, "Too Many Requests");
  }
  assert.equal((await from("192.0.2.1", identity)).statusCode, 429);
  assert.equal((await from("192.0.2.2", identity)).statusCode, 201);
  server.clock.advance(1000);
  assert.equal((await from("192.0.2.1", identity)).statusCode, 201);
});

test("a password whose hash cannot be read is refused, and logged", async () => {
  const { server, identity, logIn } = await setUp();
  await using _ = server;
  const [admin] = await server.store.listUsers();
  assert.ok(admin);
  await server.store.putUser({ ...admin, passwordHash: "scrypt$1$2$3$x$y" });
  assert.equal((await logIn({ identity })).statusCode, 401);
  const [complaint] = server.complaints.filter(
    ({ event }) => event === "password_unreadable",
  );
  assert.match(String(complaint?.fields.hint), /carillon user rotate/);
});

test("log-ins stand in the audit log, refused ones together", async () => {
  const { server, user, identity, logIn } = await setUp();
  await using _ = server;
  await logIn({ identity });
  for (const name of [user.name, "nobody"]) {
    for (let i = 0; i < 3; i++) {
      const wrong = { ...user, name, password: "wrong" };
      const password = { user: wrong };
      await logIn({ identity: { methods: ["password"], password } });
    }
  }
  await server.clock.advanceSettled(60_000);
  const { body } = await server.call("GET", "/api/v2/audit");
  assert.deepEqual(
    body.entries.map(
      (entry: { action: string; userName: string; count: number }) => [
        entry.action,
        entry.userName,
        entry.count,
      ],
    ),
    [
      ["login_refused", "nobody", 3],
      ["login_refused", user.name, 3],
      ["login", user.name, 1],
    ],
  );
  assert.equal(body.entries[2].address, "127.0.0.1");
  assert.match(body.entries[2].requestId, /^[0-9a-f]{32}$/);
});

test("requests that make no sense are 400 in Keystone's shape", async () => {
  const { server, identity } = await setUp();
  await using _ = server;
  for (const payload of [
    "{",
    "[]",
    '"x"',
    "",
    "{}",
    '{"auth":{}}',
    '{"auth":{"identity":{"methods":[]}}}',
    '{"auth":{"identity":{"methods":"password"}}}',
    JSON.stringify({ auth: { identity, scope: {} } }),
    JSON.stringify({ auth: { identity, scope: { project: 1 } } }),
    Buffer.from([0x7b, 0xff]),
  ]) {
    const response = await server.app.inject({
      method: "POST",
      url: "/v3/auth/tokens",
      payload,
    });
    assert.equal(response.statusCode, 400, String(payload));
    assert.equal(response.json().error.title, "Bad Request");
  }
});

test("a token is shown, checked and revoked", async () => {
  const { server, identity } = await setUp();
  await using _ = server;
  const token = await tokenOf(server, identity);
  const other = await tokenOf(server, identity);
  const ask = (
    method: "GET" | "HEAD" | "DELETE",
    subject: string,
    query = "",
  ) =>
    server.app.inject({
      method,
      url: `/v3/auth/tokens${query}`,
      headers: { "x-auth-token": token, "x-subject-token": subject },
    });
  const shown = await ask("GET", other);
  assert.equal(shown.statusCode, 200);
  assert.equal(shown.json().token.catalog.length, 3);
  const brief = await ask("GET", other, "?nocatalog");
  assert.equal(brief.json().token.catalog, undefined);
  const head = await ask("HEAD", other);
  assert.deepEqual([head.statusCode, head.body], [200, ""]);
  const revoked = await ask("DELETE", other);
  assert.deepEqual([revoked.statusCode, revoked.body], [204, ""]);
  for (const method of ["GET", "HEAD", "DELETE"] as const) {
    assert.equal((await ask(method, other)).statusCode, 404);
  }
  assert.equal((await ask("GET", "")).statusCode, 400);
  assert.equal((await ask("DELETE", token)).statusCode, 204);
  assert.equal((await ask("GET", token)).statusCode, 401);
});

test("projects are found by name, and by the region's", async () => {
  const { server, identity, logIn } = await setUp();
  await using _ = server;
  const { project } = server.credentials;
  const [domain] = await server.store.listDomains();
  await server.store.putProject({
    id: "a".repeat(32) as never,
    name: "second",
    domainId: domain?.id ?? "",
  });
  await server.store.putProject({
    id: "b".repeat(32) as never,
    name: "foreign",
    domainId: "another",
  });
  const scope = { project: { id: project.id } };
  const { headers } = await logIn({ identity, scope });
  const token = String(headers["x-subject-token"]);
  const ids = async (url: string, by: object = { "x-auth-token": token }) =>
    (await server.app.inject({ url, headers: { ...by } }))
      .json()
      .projects.map(({ id }: { id: string }) => id);
  assert.deepEqual(await ids("/v3/projects"), [project.id, "a".repeat(32)]);
  assert.deepEqual(await ids("/v3/projects?name=default"), [project.id]);
  assert.deepEqual(await ids("/v3/projects?name=test-1"), [project.id]);
  assert.deepEqual(await ids("/v3/projects?name=foreign"), []);
  assert.deepEqual(await ids("/v3/auth/projects?name=second"), [
    "a".repeat(32),
  ]);
  const one = await server.call("GET", `/v3/projects/${project.id}`);
  assert.equal(one.body.project.name, "default");
  const foreign = await server.call("GET", `/v3/projects/${"b".repeat(32)}`);
  assert.equal(foreign.status, 404);

  // A key is good for its project: SDKs go on in the one they find.
  const byKey = { authorization: server.authorization };
  assert.deepEqual(await ids("/v3/projects", byKey), [project.id]);
  assert.deepEqual(await ids("/v3/projects?name=second", byKey), []);
  assert.deepEqual(await ids("/v3/projects?name=test-1", byKey), [project.id]);
});

test("Keystone's names of its first domain stand for the one made first", async () => {
  const { server, user, logIn } = await setUp();
  await using _ = server;
  const statusOf = async (userDomain: object, projectDomain: object) => {
    const response = await logIn({
      identity: {
        methods: ["password"],
        password: { user: { ...user, domain: userDomain } },
      },
      scope: { project: { name: "default", domain: projectDomain } },
    });
    return response.statusCode;
  };
  const right = [
    { id: "default" },
    { name: "default" },
    { name: "Default" },
    { name: "DEFAULT" },
  ];
  for (const userDomain of right) {
    for (const projectDomain of right) {
      assert.equal(
        await statusOf(userDomain, projectDomain),
        201,
        JSON.stringify([userDomain, projectDomain]),
      );
    }
  }
  for (const wrong of [
    { id: "Default" },
    { id: "other" },
    { id: "other", name: "default" },
  ]) {
    assert.equal(await statusOf(wrong, { id: "default" }), 401);
    assert.equal(await statusOf({ id: "default" }, wrong), 401);
  }
  const get = async (url: string) => (await server.call("GET", url)).body;
  const { domains } = await get("/v3/auth/domains?name=Default");
  assert.deepEqual(
    domains.map(({ name }: { name: string }) => name),
    ["default"],
  );
  const { projects } = await get("/v3/projects?domain_id=default");
  assert.equal(projects.length, 1);
  const shown = await get("/v3/domains/default");
  assert.equal(shown.domain.id, server.domainId);
});

test("names are found whatever the case of their letters", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { shop } = await addMember(server);
  const { body } = await logIn({
    identity: {
      methods: ["password"],
      password: {
        user: {
          name: "ANN",
          password: "correct horse",
          domain: { name: "Acme" },
        },
      },
    },
    scope: { project: { name: "Shop", domain: { name: "ACME" } } },
  });
  const { token } = JSON.parse(body);
  assert.equal(token.project.id, shop.id);
  // What is answered keeps its case.
  assert.equal(token.project.name, "shop");
  assert.deepEqual(token.user.domain.name, "acme");
  const idsOf = async (url: string) => {
    const answer = await server.call("GET", url);
    const [list] = Object.values<{ id: string }[]>(answer.body);
    return list?.map(({ id }) => id);
  };
  const { project } = server.credentials;
  assert.deepEqual(await idsOf("/v3/projects?name=DEFAULT"), [project.id]);
  assert.deepEqual(await idsOf("/v3/domains?name=DEFAULT"), [server.domainId]);
  assert.deepEqual(await idsOf("/v3/users?name=Ann"), [token.user.id]);
  for (const [path, name] of [
    ["domains", "Acme"],
    ["projects", "DEFAULT"],
    ["users", "ADMIN"],
  ]) {
    const answer = await server.call("POST", `/api/v2/${path}`, { name });
    assert.equal(answer.status, 409, path);
  }
});

test("guesses at a password count whatever the case of the name", async () => {
  const { server, user } = await setUp();
  await using _ = server;
  const statusOf = async (name: string, remoteAddress: string) => {
    const answer = await server.app.inject({
      method: "POST",
      url: "/v3/auth/tokens",
      remoteAddress,
      payload: {
        auth: {
          identity: {
            methods: ["password"],
            password: { user: { ...user, name, password: "wrong" } },
          },
        },
      },
    });
    return answer.statusCode;
  };
  const statuses = async (names: (guess: number) => string) => {
    const all: number[] = [];
    for (let i = 0; i < 12; i++) {
      all.push(await statusOf(names(i), "192.0.2.1"));
    }
    return all;
  };
  const plain = await statuses(() => "admin");
  server.clock.advance(24 * 3_600_000);
  const varied = await statuses((guess) =>
    [..."admin"]
      .map((letter, i) => ((guess >> i) & 1 ? letter.toUpperCase() : letter))
      .join(""),
  );
  assert.ok(plain.includes(429));
  assert.deepEqual(varied, plain);
});

test("a log-in's address without /v3 leads to the identity service", async () => {
  const { server } = await setUp({ publicUrl: "https://host.test/prefix/" });
  await using _ = server;
  const root = await server.app.inject({ url: "/" });
  assert.equal(root.statusCode, 200);
  const { versions } = root.json();
  const one = (await server.app.inject({ url: "/v3" })).json().version;
  assert.deepEqual(
    versions.find(({ id }: { id: string }) => id.startsWith("v3")),
    { ...one, min_version: "", version: "" },
  );
  assert.deepEqual(one.links, [
    { rel: "self", href: "https://host.test/prefix/v3/" },
  ]);
});

test("a person's browser gets a page at /, programs the list of versions", async () => {
  const { server } = await setUp({ publicUrl: "https://host.test/prefix/" });
  await using _ = server;
  const ask = (headers: Record<string, string>, url = "/") =>
    server.app.inject({ url, headers });
  const accept = "text/html,application/xhtml+xml,*/*;q=0.8";
  const page = await ask({ accept });
  assert.equal(page.statusCode, 200);
  assert.match(String(page.headers["content-type"]), /^text\/html/);
  assert.equal(page.headers.vary, "accept");
  assert.match(page.body, /<h1>Carillon \d+\.\d+\.\d+<\/h1>/);
  const paths = [...page.body.matchAll(/href="([^"]*)"/g)].map(([, path]) => {
    assert.match(String(path), /^\/prefix\//);
    return String(path).replace("/prefix", "");
  });
  assert.ok(paths.includes("/api/v2/openapi.json"));
  for (const path of paths) {
    assert.equal((await ask({}, path)).statusCode, 200, path);
  }
  for (const headers of [
    {},
    { accept: "*/*" },
    { accept: "application/json" },
  ]) {
    assert.ok((await ask(headers)).json().versions.length > 0);
  }
});

test("a token for a domain has its roles, and no project", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { id, domain, shop, user } = await addMember(server);
  for (const [role, mayManage] of [
    ["member", false],
    ["admin", true],
  ] as const) {
    await server.call("PATCH", `/api/v2/users/${id}`, { role });
    const response = await logIn({
      identity: { methods: ["password"], password: { user } },
      scope: { domain: { name: "acme" } },
    });
    assert.equal(response.statusCode, 201);
    const { token } = response.json();
    assert.deepEqual(token.domain, { id: domain.id, name: "acme" });
    assert.deepEqual(
      token.roles.map(({ name }: { name: string }) => name),
      [role],
    );
    assert.equal(token.project, undefined);
    assert.deepEqual(
      token.catalog.map(({ type }: { type: string }) => type),
      ["identity"],
    );
    const headers = {
      "x-auth-token": String(response.headers["x-subject-token"]),
    };
    const get = (url: string) => server.app.inject({ url, headers });
    const shown = await server.app.inject({
      url: "/v3/auth/tokens",
      headers: { ...headers, "x-subject-token": headers["x-auth-token"] },
    });
    assert.deepEqual(shown.json().token.domain, token.domain);
    assert.equal((await get("/v3/auth/catalog")).json().catalog.length, 1);
    for (const [url, allowed] of [
      [`/v3/users/${id}`, true],
      [`/v3/domains/${domain.id}`, mayManage],
      ["/v3/domains", mayManage],
      ["/v3/users", mayManage],
      ["/api/v2/users", mayManage],
      [`/v2/${shop.id}/notifications/topics`, false],
    ] as const) {
      const { statusCode } = await get(url);
      assert.equal(statusCode, allowed ? 200 : 403, `${role} ${url}`);
    }
    // Another domain's is refused as one that does not exist.
    for (const name of ["default", "none"]) {
      const refused = await logIn({
        identity: { methods: ["password"], password: { user } },
        scope: { domain: { name } },
      });
      assert.equal(refused.statusCode, 401, `${role} ${name}`);
    }
  }
});

test("an operator's token is for each domain, until it is disabled", async () => {
  const { server, identity, logIn } = await setUp();
  await using _ = server;
  const { domain } = await addMember(server);
  const response = await logIn({
    identity,
    scope: { domain: { id: domain.id } },
  });
  const { token } = response.json();
  assert.deepEqual(token.domain, { id: domain.id, name: "acme" });
  assert.equal(token.user.domain.name, "default");
  const id = String(response.headers["x-subject-token"]);
  const headers = { "x-auth-token": id };
  const statusOf = async () =>
    (await server.app.inject({ url: "/v3/domains", headers })).statusCode;
  assert.equal(await statusOf(), 200);
  await server.call("PATCH", `/api/v2/domains/${domain.id}`, {
    enabled: false,
  });
  assert.equal(await statusOf(), 401);
});

test("users and domains are shown as far as the caller reaches", async () => {
  const { server } = await setUp();
  await using _ = server;
  const { id, domain } = await addMember(server);
  const { userId: operatorId } = (await server.call("GET", "/api/v2/whoami"))
    .body;
  const other = (await server.call("POST", "/api/v2/domains", { name: "else" }))
    .body;
  const keyOf = async (userId: string) => {
    const { body } = await server.call("POST", "/api/v2/access-keys", {
      userId,
      projectId: (await server.store.findUser(userId))?.projectIds[0],
    });
    const pair = Buffer.from(`${body.accessKey}:${body.secretKey}`);
    return { authorization: `Basic ${pair.toString("base64")}` };
  };
  const headers = await keyOf(id);
  const get = async (url: string) => {
    const answer = await server.app.inject({ url, headers });
    return [answer.statusCode, answer.json()] as const;
  };
  const [, own] = await get(`/v3/users/${id}`);
  assert.deepEqual(own.user, {
    id,
    name: "ann",
    domain_id: domain.id,
    enabled: true,
    password_expires_at: null,
    options: {},
    links: { self: own.user.links.self },
  });
  for (const foreign of [operatorId, "f".repeat(32)]) {
    assert.equal((await get(`/v3/users/${foreign}`))[0], 403);
  }
  await server.call("PATCH", `/api/v2/users/${id}`, { role: "admin" });
  const { body: colleague } = await server.call("POST", "/api/v2/users", {
    name: "bob",
    domainId: domain.id,
  });
  const names = async (url: string) => {
    const [, body] = await get(url);
    const [list] = Object.values<{ name: string }[]>(body);
    return list?.map(({ name }) => name);
  };
  assert.deepEqual(await names("/v3/users"), ["ann", "bob"]);
  assert.deepEqual(await names("/v3/users?name=bob"), ["bob"]);
  assert.deepEqual(await names(`/v3/users?domain_id=${other.id}`), []);
  assert.deepEqual(await names("/v3/domains"), ["acme"]);
  assert.deepEqual(await names("/v3/auth/domains"), ["acme"]);
  assert.equal((await get(`/v3/users/${colleague.id}`))[0], 200);
  assert.equal((await get(`/v3/domains/${domain.id}`))[0], 200);
  for (const url of [
    `/v3/users/${operatorId}`,
    `/v3/domains/${other.id}`,
    "/v3/domains/acme",
    "/v3/domains/default",
  ]) {
    const [status, body] = await get(url);
    assert.equal(status, 404, url);
    assert.equal(body.error.title, "Not Found");
  }
  const all = await server.call("GET", "/v3/domains");
  assert.deepEqual(
    all.body.domains.map(({ name }: { name: string }) => name),
    ["default", "acme", "else"],
  );
});

test("a user's projects are listed to that user", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { id, domain, user } = await addMember(server);
  const login = await logIn({
    identity: { methods: ["password"], password: { user } },
    scope: "unscoped",
  });
  const headers = { "x-auth-token": String(login.headers["x-subject-token"]) };
  const get = (url: string) => server.app.inject({ url, headers });
  const own = (await get(`/v3/users/${id}/projects`)).json();
  assert.deepEqual(
    own.projects.map(({ name }: { name: string }) => name),
    ["shop", "depot"],
  );
  assert.equal(own.projects[0].domain_id, domain.id);
  assert.match(own.links.self, new RegExp(`/v3/users/${id}/projects$`));
  const { userId: other } = (await server.call("GET", "/api/v2/whoami")).body;
  for (const foreign of [other, "f".repeat(32), "%00"]) {
    const answer = await get(`/v3/users/${foreign}/projects`);
    assert.equal(answer.statusCode, 403, foreign);
    assert.equal(answer.json().error.title, "Forbidden");
  }
});

/** A member of two of three projects of its domain. */
async function addMember(server: TestServer) {
  const make = async (path: string, body: object) =>
    (await server.call("POST", `/api/v2/${path}`, body)).body;
  const domain = await make("domains", { name: "acme" });
  const inDomain = { domainId: domain.id };
  const shop = await make("projects", { name: "shop", ...inDomain });
  const depot = await make("projects", { name: "depot", ...inDomain });
  const closed = await make("projects", { name: "closed", ...inDomain });
  // A namesake elsewhere.
  await make("projects", { name: "shop" });
  const { id } = await make("users", {
    name: "ann",
    password: "correct horse",
    projectIds: [shop.id, depot.id],
    ...inDomain,
  });
  const user = {
    name: "ann",
    password: "correct horse",
    domain: { name: "acme" },
  };
  return { id, domain, shop, depot, closed, user };
}

test("a member logs in to the projects it is assigned to, no others", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { domain, shop, depot, closed, user } = await addMember(server);
  const identity = { methods: ["password"], password: { user } };
  for (const [project, id] of [
    [{ id: shop.id }, shop.id],
    [{ name: "shop" }, shop.id],
    [{ name: "shop", domain: { name: "acme" } }, shop.id],
    [{ name: "depot", domain: { id: domain.id } }, depot.id],
    [{ name: "shop", domain: { name: "default" } }, undefined],
    [{ name: "shop", domain: { name: "none" } }, undefined],
    [{ id: closed.id }, undefined],
    [{ name: "closed", domain: { name: "acme" } }, undefined],
    [{ id: server.credentials.project.id }, undefined],
    [{}, undefined],
  ] as const) {
    const response = await logIn({ identity, scope: { project } });
    const expected = id === undefined ? 401 : 201;
    assert.equal(response.statusCode, expected, JSON.stringify(project));
    if (id === undefined) continue;
    const { token } = response.json();
    assert.equal(token.project.id, id);
    assert.deepEqual(token.project.domain, { id: domain.id, name: "acme" });
    assert.equal(token.roles[0].name, "member");
  }
  const unsaid = await logIn({ identity });
  assert.equal(unsaid.json().token.project, undefined, "there are two");
});

test("a token is changed for one of another assigned project", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { shop, depot, closed, user } = await addMember(server);
  const first = await logIn({
    identity: { methods: ["password"], password: { user } },
    scope: { project: { id: shop.id } },
  });
  const id = String(first.headers["x-subject-token"]);
  const change = async (project: object) =>
    (
      await logIn({
        identity: { methods: ["token"], token: { id } },
        scope: { project },
      })
    ).statusCode;
  assert.equal(await change({ id: depot.id }), 201);
  assert.equal(await change({ id: closed.id }), 401);
});

test("lists only projects that the caller may act in", async () => {
  const { server, logIn } = await setUp();
  await using _ = server;
  const { id, domain, shop, depot, closed, user } = await addMember(server);
  const login = await logIn({
    identity: { methods: ["password"], password: { user } },
    scope: "unscoped",
  });
  const headers = { "x-auth-token": String(login.headers["x-subject-token"]) };
  const get = (url: string) => server.app.inject({ url, headers });
  const names = async (url: string) =>
    (await get(url)).json().projects.map(({ name }: { name: string }) => name);
  for (const path of ["/v3/projects", "/v3/auth/projects"]) {
    assert.deepEqual(await names(path), ["shop", "depot"]);
    assert.deepEqual(await names(`${path}?name=shop`), ["shop"]);
    assert.deepEqual(await names(`${path}?name=closed`), []);
    assert.deepEqual(await names(`${path}?domain_id=${domain.id}`), [
      "shop",
      "depot",
    ]);
    assert.deepEqual(await names(`${path}?domain_id=other`), []);
  }
  assert.equal((await get(`/v3/projects/${shop.id}`)).statusCode, 200);
  assert.equal((await get(`/v3/projects/${closed.id}`)).statusCode, 404);
  await server.call("PATCH", `/api/v2/projects/${depot.id}`, {
    enabled: false,
  });
  assert.deepEqual(await names("/v3/projects"), ["shop"]);
  await server.call("PATCH", `/api/v2/users/${id}`, { enabled: false });
  assert.equal((await get("/v3/projects")).statusCode, 401);
});

test("an expired token is refused, and a log-in helps", async () => {
  const { server, identity, logIn } = await setUp();
  await using _ = server;
  const list = async (token: unknown) => {
    const response = await server.app.inject({
      url: `${server.base}/topics`,
      headers: { "x-auth-token": String(token) },
    });
    return response.statusCode;
  };
  const first = (await logIn({ identity })).headers["x-subject-token"];
  server.clock.advance(24 * 3_600_000 - 1);
  assert.equal(await list(first), 200);
  server.clock.advance(1);
  assert.equal(await list(first), 401);
  const second = (await logIn({ identity })).headers["x-subject-token"];
  assert.equal(await list(second), 200);
});

test("domains and regions", async () => {
  const { server } = await setUp();
  await using _ = server;
  const all = await server.call("GET", "/v3/auth/domains");
  assert.equal(all.body.domains[0].name, "default");
  const none = await server.call("GET", "/v3/auth/domains?name=other");
  assert.deepEqual(none.body.domains, []);
  const { body } = await server.call("GET", "/v3/regions");
  assert.deepEqual(body.regions, [{ id: "test-1", type: "public" }]);
  const one = await server.call("GET", "/v3/regions/test-1");
  assert.deepEqual(one.body, { region: { id: "test-1", type: "public" } });
  const unknown = await server.call("GET", "/v3/regions/test-2");
  assert.equal(unknown.status, 404);
});

test("without credentials there is nothing to see", async () => {
  const { server } = await setUp();
  await using _ = server;
  for (const url of [
    "/v3/auth/catalog",
    "/v3/projects",
    "/v3/auth/projects",
    "/v3/auth/domains",
    "/v3/domains",
    "/v3/domains/x",
    "/v3/users",
    "/v3/users/x",
    "/v3/users/x/projects",
    "/v3/regions",
    "/v3/regions/x",
    "/v3/auth/tokens",
  ]) {
    const response = await server.app.inject({ url });
    assert.equal(response.statusCode, 401, url);
    assert.equal(response.json().error.code, 401);
  }
  const unknown = await server.app.inject({ url: "/v3/nothing" });
  assert.equal(unknown.statusCode, 404);
  assert.equal(unknown.json().error.code, 404);
});
