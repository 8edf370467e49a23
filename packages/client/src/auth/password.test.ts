import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../connection.ts";
import {
  AuthenticationError,
  CatalogueError,
  InvalidResponseError,
} from "../errors.ts";
import {
  type Answer,
  refusal,
  serve,
  type TestServer,
} from "../testing/serve.ts";

const projectId = "0f3c5d1e2a4b46788899aabbccddeeff";
const user = { user: "demo", password: "secret", domain: "ACME" };
const person = { ...user, project: "eu-de_demo" };

/** Identity and SMN in one; tokens are `t1`, `t2`, … of which `good` hold. */
async function serveCloud(
  options: {
    readonly catalogue?: (origin: string) => unknown;
    readonly accept?: (token: string) => boolean;
    readonly smn?: Answer;
  } = {},
): Promise<TestServer> {
  let logins = 0;
  const server = await serve((request) => {
    if (request.path === "/v3/auth/tokens") {
      const catalog = (options.catalogue ?? smnAt("/v2"))(server.url);
      return {
        status: 201,
        headers: { "x-subject-token": `t${++logins}` },
        body: { token: { project: { id: projectId }, catalog } },
      };
    }
    const token = String(request.headers["x-auth-token"]);
    if (!(options.accept?.(token) ?? true)) return refusal(401, "APIGW.0301");
    return options.smn?.(request) ?? { body: { topics: [], topic_count: 0 } };
  });
  return server;
}

function smnAt(path: string, type = "smn", region = "eu-de") {
  return (origin: string) => [
    { type: "identity", endpoints: [publicAt(`${origin}/v3`, region)] },
    { type, endpoints: [publicAt(origin + path, region)] },
  ];
}

function publicAt(url: string, region: string) {
  return { interface: "public", region, region_id: region, url };
}

function logins(server: TestServer): number {
  return server.requests.filter(({ path }) => path.startsWith("/v3")).length;
}

test("logs in once, with names, and uses the token", async () => {
  await using server = await serveCloud();
  const { smn } = connect({ endpoint: server.url, ...person });
  await Array.fromAsync(smn.topics());
  await Array.fromAsync(smn.topics());
  const [login, ...lists] = server.requests;
  assert.deepEqual(login?.json, {
    auth: {
      identity: {
        methods: ["password"],
        password: {
          user: {
            name: "demo",
            domain: { name: "ACME" },
            password: "secret",
          },
        },
      },
      scope: { project: { name: "eu-de_demo", domain: { name: "ACME" } } },
    },
  });
  assert.equal(lists.length, 2);
  assert.equal(lists[0]?.headers["x-auth-token"], "t1");
});

test("logs in with ids", async () => {
  await using server = await serveCloud();
  const { smn } = connect({
    endpoint: server.url,
    userId: "u1",
    password: "secret",
    projectId,
  });
  await Array.fromAsync(smn.topics());
  assert.deepEqual(server.requests[0]?.json, {
    auth: {
      identity: {
        methods: ["password"],
        password: { user: { id: "u1", password: "secret" } },
      },
      scope: { project: { id: projectId } },
    },
  });
});

for (const [where, catalogue] of [
  ["without the project", smnAt("/v2")],
  ["with a slash at its end", smnAt("/v2/")],
  ["with the project", smnAt(`/v2/${projectId}`)],
  ["under its other type", smnAt(`/v2/${projectId}`, "smnv2")],
] as const) {
  test(`finds SMN in the catalogue ${where}`, async () => {
    await using server = await serveCloud({ catalogue });
    const { smn } = connect({ endpoint: server.url, ...person });
    await Array.fromAsync(smn.topics());
    assert.equal(
      server.requests[1]?.path,
      `/v2/${projectId}/notifications/topics`,
    );
  });
}

test("takes the catalogue's endpoint of the region", async () => {
  await using server = await serveCloud({
    catalogue: (origin) => [
      {
        type: "smn",
        endpoints: [
          publicAt(`${origin}/nl/v2`, "eu-nl"),
          { ...publicAt(`${origin}/in/v2`, "eu-de"), interface: "internal" },
          publicAt(`${origin}/de/v2`, "eu-de"),
        ],
      },
    ],
  });
  const { smn } = connect({
    endpoint: server.url,
    ...person,
    region: "eu-de",
  });
  await Array.fromAsync(smn.topics());
  assert.equal(
    server.requests[1]?.path,
    `/de/v2/${projectId}/notifications/topics`,
  );
});

test("says when the catalogue has no SMN in the region", async () => {
  await using server = await serveCloud();
  const { smn } = connect({
    endpoint: server.url,
    ...person,
    region: "eu-nl",
  });
  await assert.rejects(Array.fromAsync(smn.topics()), CatalogueError);
});

test("an endpoint next to an identity URL is SMN's", async () => {
  await using server = await serveCloud({ catalogue: () => [] });
  const { smn } = connect({
    authUrl: `${server.url}/v3`,
    endpoint: `${server.url}/elsewhere`,
    ...person,
  });
  await Array.fromAsync(smn.topics());
  assert.equal(
    server.requests[1]?.path,
    `/elsewhere/v2/${projectId}/notifications/topics`,
  );
});

test("an identity URL alone is enough", async () => {
  await using server = await serveCloud();
  for (const place of [
    { authUrl: `${server.url}/v3/` },
    { endpoint: `${server.url}/v3` },
  ]) {
    const { smn } = connect({ ...place, ...person });
    await Array.fromAsync(smn.topics());
  }
  assert.equal(logins(server), 2);
});

test("renews an expired token and repeats even a publication", async () => {
  await using server = await serveCloud({
    accept: (token) => token === "t2",
    smn: () => ({ body: { message_id: "m", request_id: "r" } }),
  });
  const { smn } = connect({ endpoint: server.url, ...person });
  const published = await smn.publishMessage("urn:x", { message: "hello" });
  assert.equal(published.messageId, "m");
  assert.equal(logins(server), 2);
});

test("renews once only", async () => {
  await using server = await serveCloud({ accept: () => false });
  const { smn } = connect({ endpoint: server.url, ...person });
  await assert.rejects(smn.getTopic("urn:x"), AuthenticationError);
  assert.equal(logins(server), 2);
  assert.equal(server.requests.length, 4);
});

test("requests at once share a login, and a renewal", async () => {
  await using server = await serveCloud({
    accept: (token) => token !== "t1",
  });
  const { smn } = connect({ endpoint: server.url, ...person });
  await Promise.all(
    Array.from({ length: 20 }, () => Array.fromAsync(smn.topics())),
  );
  assert.equal(logins(server), 2);
});

test("an abort leaves the login to the others", async () => {
  await using server = await serveCloud();
  const { smn } = connect({ endpoint: server.url, ...person });
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = smn.getTopic("urn:x", { signal });
  const listed = Array.fromAsync(smn.topics());
  controller.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  assert.deepEqual(await listed, []);
  assert.equal(logins(server), 1);
});

test("a failed login is tried again by the next request", async () => {
  let isDown = true;
  await using server = await serve(({ path }) => {
    if (path !== "/v3/auth/tokens") return { body: { topics: [] } };
    if (isDown) {
      const error = { code: 401, title: "Unauthorized", message: "wrong" };
      return { status: 401, body: { error } };
    }
    return {
      status: 201,
      headers: { "x-subject-token": "t" },
      body: {
        token: {
          project: { id: projectId },
          catalog: smnAt("/v2")(server.url),
        },
      },
    };
  });
  const { smn } = connect({ endpoint: server.url, ...person });
  await assert.rejects(Array.fromAsync(smn.topics()), (error) => {
    assert.ok(error instanceof AuthenticationError);
    assert.match(error.message, /wrong/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  isDown = false;
  assert.deepEqual(await Array.fromAsync(smn.topics()), []);
});

test("says when the login is not answered by an identity service", async () => {
  await using server = await serve(() => ({ body: { hello: "world" } }));
  const { smn } = connect({ endpoint: server.url, ...person });
  await assert.rejects(Array.fromAsync(smn.topics()), InvalidResponseError);
});
