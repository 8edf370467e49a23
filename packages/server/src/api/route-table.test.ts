/**
 * Every route there is, from the server's own table, with every kind of bad
 * input: never a 500, never another project's data, errors always in the shape
 * of the route's API. Whoever adds a route need not add it here.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Store } from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { inject } from "../../test-support/inject.ts";
import {
  parse,
  startTestServer,
  type TestServer,
  testRegion,
} from "../../test-support/test-server.ts";

type Headers = Readonly<Record<string, string>>;
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Api = "smn" | "v2" | "keystone";

interface Route {
  readonly method: Method;
  /** With `:parameters`. */
  readonly url: string;
  readonly api: Api;
  /** Fields of the body that the schema names, and some that others take. */
  readonly fields: readonly string[];
  /** Parameters of the query that the schema names. */
  readonly query: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly caching: string;
  readonly sniffing: string;
  readonly text: string;
}

/** Stands in all that the owner wrote. */
const mark = "the-owners-own";
const foreignProject = "f".repeat(32);
const unknownId = "0123456789abcdef0123456789abcdef";
const fieldsWithoutSchema = ["value", "tag", "tags", "action", "resources"];

let folder: string;
let store: Store;
let server: TestServer;
let owner: Headers;
let stranger: Headers;
let routes: readonly Route[];
/** A message of the owner's. */
let messageId = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "carillon-routes-"));
  // The real store: it has errors of its own for what it cannot keep.
  store = await openSqliteStore({ folder });
  server = await startTestServer({ store });
  owner = { authorization: server.authorization };
  routes = server.routes.flatMap(toRoute);
  stranger = await addStranger();
  await addOwnersThings();
  const published = await server.call(
    "POST",
    `${server.base}/topics/${topicUrn()}/publish`,
    { subject: mark, message: mark },
  );
  assert.equal(published.status, 200);
  messageId = published.body.message_id;
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  await store?.close();
  await rm(folder, { recursive: true, force: true });
});

test("the table has the routes of each API", () => {
  for (const api of ["smn", "v2", "keystone"] as const) {
    const count = routes.filter((route) => route.api === api).length;
    assert.ok(count >= 5, `${api}: ${count}`);
  }
});

test("without credentials nothing is shown", async () => {
  for (const route of routes) {
    if (isOpen(route)) continue;
    const answer = await ask(route, { headers: {} });
    check(route, answer);
    assert.equal(answer.status, 401, nameOf(route));
    const wrong = await ask(route, { headers: { "x-auth-token": "wrong" } });
    check(route, wrong);
    assert.equal(wrong.status, 401, nameOf(route));
  }
});

test("another project's credentials reach nothing", async () => {
  const own = await server.app.inject({
    url: `/v2/${foreignProject}/notifications/topics`,
    headers: stranger,
  });
  assert.equal(own.statusCode, 200);
  const before = await snapshot();
  for (const route of routes) {
    for (const project of [server.credentials.project.id, foreignProject]) {
      for (const payload of [undefined, "{}", rightBody(route)]) {
        const answer = await ask(route, {
          headers: stranger,
          project,
          payload,
        });
        check(route, answer);
        assert.ok(!answer.text.includes(mark), nameOf(route));
        if (/:project_id|:domain_id/.test(route.url)) {
          // In its own project it may be that nothing is there to see.
          if (project === foreignProject) continue;
          assert.ok(answer.status >= 400, nameOf(route));
        }
      }
    }
  }
  assert.deepEqual(await snapshot(), before);
});

test("malformed names are refused", async () => {
  for (const route of routes) {
    if (!route.url.includes("/:")) continue;
    for (const value of [
      "x",
      "urn:smn",
      `urn:smn:${testRegion}::`,
      "urn:smn:%00:%00:%00",
      "..%2f..%2fetc",
      "%F0%9F%92%A9",
      "'%22;--",
      "__proto__",
      "x".repeat(5000),
    ]) {
      const payload = rightBody(route);
      check(route, await ask(route, { value, payload }));
      check(route, await ask(route, { project: value, payload }));
    }
  }
});

test("what is not there is a 404", async () => {
  for (const route of routes) {
    if (!route.url.includes("/:")) continue;
    const answer = await ask(route, {
      topic: topicUrn("missing"),
      value: unknownId,
      payload: rightBody(route),
    });
    check(route, answer);
    const names = route.url.replace(/:(project|domain)_id/, "");
    if (route.method === "GET" && names.includes(":")) {
      assert.ok(answer.status >= 400, nameOf(route));
    }
  }
});

test("oversized fields are refused or harmless", async () => {
  for (const route of withBody()) {
    for (const field of route.fields) {
      const payload = JSON.stringify({ [field]: "x".repeat(300_000) });
      check(route, await ask(route, { payload }));
    }
  }
  for (const route of routes) {
    for (const field of route.query) {
      const query = `?${field}=${"x".repeat(8000)}`;
      check(route, await ask(route, { query }));
    }
  }
});

test("fields of the wrong type are refused or harmless", async () => {
  const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
  for (const route of withBody()) {
    for (const field of route.fields) {
      for (const value of [
        "null",
        "true",
        "-1",
        "1e400",
        '""',
        '"\\u0000\\ud800"',
        "[]",
        "[null]",
        "{}",
        '{"__proto__":1,"constructor":1}',
        deep,
      ]) {
        const payload = `{${JSON.stringify(field)}:${value}}`;
        check(route, await ask(route, { payload }));
      }
    }
    for (const payload of ["null", "[]", "0", '"x"', "{", "", deep]) {
      check(route, await ask(route, { payload }));
    }
  }
});

test("other content types are refused or read as JSON", async () => {
  for (const route of withBody()) {
    for (const [contentType, payload] of [
      ["text/xml", "<a/>"],
      ["application/x-www-form-urlencoded", "name=x&message=y"],
      ["multipart/form-data; boundary=b", "--b--"],
      ["text/plain", rightBody(route)],
      ["application/json; charset=utf-16", rightBody(route)],
      ["", rightBody(route)],
      ["nonsense", "x"],
    ] as const) {
      check(route, await ask(route, { contentType, payload }));
    }
  }
});

test("doubled and strange query parameters are refused or harmless", async () => {
  for (const route of routes) {
    const names = ["limit", "offset", "name", "__proto__", ...route.query];
    for (const name of names) {
      for (const query of [
        `${name}=1&${name}=2`,
        `${name}[]=1`,
        `${name}=`,
        `${name}=-1`,
        `${name}=%00`,
        `${name}=99999999999999999999`,
      ]) {
        check(route, await ask(route, { query: `?${query}` }));
      }
    }
  }
});

test("what is no UTF-8 is refused", async () => {
  for (const route of routes) {
    for (const query of ["?name=%FF%FE", "?%C3%28=1", "?name=%zz", "?%"]) {
      check(route, await ask(route, { query }));
    }
    if (route.url.includes("/:")) {
      for (const value of ["%FF%FE", "%zz", "%"]) {
        const answer = await ask(route, { value, project: value });
        check(route, answer);
        assert.ok(answer.status >= 400, nameOf(route));
      }
    }
  }
  const bytes = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
  for (const route of withBody()) {
    const answer = await ask(route, { payload: bytes });
    check(route, answer);
    assert.ok(answer.status >= 400, nameOf(route));
  }
});

test("a body of 10 MB is refused", async () => {
  const payload = Buffer.alloc(10 * 1024 * 1024, "x");
  for (const route of withBody()) {
    const answer = await ask(route, { payload });
    check(route, answer);
    assert.ok(answer.status >= 400, nameOf(route));
  }
});

test("after all this the server works and logged no failure", async () => {
  await addOwnersThings();
  const { status, body } = await server.call("GET", `${server.base}/topics`);
  assert.equal(status, 200);
  assert.ok(body.topic_count >= 1);
  const failures = server.complaints.filter(
    ({ event }) => event === "request_failed",
  );
  assert.deepEqual(failures, []);
});

function toRoute(route: TestServer["routes"][number]): Route[] {
  const api = apiOf(route.url);
  if (api === undefined) return [];
  const { body, querystring } = (route.schema ?? {}) as {
    body?: { properties?: object };
    querystring?: { properties?: object };
  };
  const fields = Object.keys(body?.properties ?? {});
  return [route.method]
    .flat()
    .filter((method): method is Method => method !== "HEAD")
    .map((method) => ({
      method,
      url: route.url,
      api,
      fields: fields.length > 0 ? fields : fieldsWithoutSchema,
      query: Object.keys(querystring?.properties ?? {}),
    }));
}

/** `undefined` for routes whose answers are not an API's: links, metrics. */
function apiOf(url: string): Api | undefined {
  if (url.startsWith("/api/v2/")) return "v2";
  if (url.startsWith("/v3/")) return "keystone";
  const isLink = /^\/v2\/notifications\/(subscriptions|certifications)\//.test(
    url,
  );
  return url.startsWith("/v2/") && !isLink ? "smn" : undefined;
}

/** Routes that answer anybody. */
function isOpen({ method, url }: Route): boolean {
  return (
    /^\/api\/v2\/(openapi\.json|problems)/.test(url) ||
    (method === "POST" && url === "/v3/auth/tokens")
  );
}

function withBody(): readonly Route[] {
  return routes.filter(({ method }) => method !== "GET");
}

interface Options {
  readonly headers?: Headers;
  /** In place of each parameter that names a topic; an existing one. */
  readonly topic?: string;
  /** In place of all other parameters but the project, and of the topic's. */
  readonly value?: string;
  readonly project?: string;
  readonly query?: string;
  readonly payload?: string | Buffer | undefined;
  readonly contentType?: string;
}

async function ask(route: Route, options: Options): Promise<Answer> {
  const {
    headers = owner,
    query = "",
    payload,
    contentType = "application/json",
  } = options;
  const path = route.url
    .replace(/(?<!:):(\w+)/g, (_, name: string) => parameterOf(name, options))
    .replaceAll("::", ":");
  const response = await inject(server.app, {
    method: route.method,
    url: path + query,
    headers: {
      ...headers,
      ...(payload !== undefined && { "content-type": contentType }),
    },
    ...(payload !== undefined && { payload }),
  });
  return {
    status: response.statusCode,
    contentType: String(response.headers["content-type"] ?? ""),
    caching: String(response.headers["cache-control"]),
    sniffing: String(response.headers["x-content-type-options"]),
    text: response.body,
  };
}

function parameterOf(name: string, options: Options): string {
  const { project = server.credentials.project.id, topic, value } = options;
  switch (name) {
    case "project_id":
      return project;
    case "topic_urn":
    case "topicUrn":
      return topic ?? value ?? topicUrn();
    case "subscription_urn":
      return value ?? `${topicUrn()}:${unknownId}`;
    case "messageId":
      return value ?? messageId;
    case "deliveryId":
      return value ?? `${messageId}-1`;
    default:
      return value ?? unknownId;
  }
}

/** As right as it can be without knowing the route: its fields with words. */
function rightBody({ fields }: Route): string {
  return JSON.stringify(
    Object.fromEntries(fields.map((field) => [field, "word"])),
  );
}

function check(route: Route, answer: Answer): void {
  const { status, contentType, text } = answer;
  const where = `${nameOf(route)}: ${status} ${text.slice(0, 300)}`;
  assert.equal(answer.caching, "no-store", where);
  assert.equal(answer.sniffing, "nosniff", where);
  // 501: an operation that is known and not offered.
  assert.ok(status < 500 || status === 501, where);
  if (status < 400) return;
  const body = parse(text);
  assert.ok(typeof body === "object" && body !== null, where);
  switch (route.api) {
    case "smn":
      assert.match(contentType, /^application\/json/, where);
      assert.deepEqual(
        Object.keys(body).sort(),
        ["code", "error_code", "error_msg", "message", "request_id"],
        where,
      );
      break;
    case "v2":
      assert.match(contentType, /^application\/problem\+json/, where);
      assert.deepEqual(
        Object.keys(body).sort(),
        ["code", "detail", "requestId", "status", "title", "type"],
        where,
      );
      break;
    case "keystone": {
      assert.match(contentType, /^application\/json/, where);
      assert.deepEqual(Object.keys(body), ["error"], where);
      const { error } = body as { error: object };
      assert.deepEqual(
        Object.keys(error).sort(),
        ["code", "message", "title"],
        where,
      );
      break;
    }
    default:
      route.api satisfies never;
  }
}

function nameOf({ method, url }: Route): string {
  return `${method} ${url}`;
}

function topicUrn(name = "alerts"): string {
  return server.topicUrn(name);
}

/** A member of another domain, in a project of its own. */
async function addStranger(): Promise<Headers> {
  const make = async (path: string, body: object) =>
    (await server.call("POST", `/api/v2/${path}`, body)).body;
  const { id: domainId } = await make("domains", { name: "elsewhere" });
  await make("projects", { name: "foreign", id: foreignProject, domainId });
  const { id: userId } = await make("users", {
    name: "stranger",
    projectIds: [foreignProject],
    domainId,
  });
  const { accessKey, secretKey } = await make("access-keys", { userId });
  const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
  return { authorization: `Basic ${pair}` };
}

/** What a stranger must not see; those that are there stay as they are. */
async function addOwnersThings(): Promise<void> {
  const { base, call } = server;
  const topic = `${base}/topics/${topicUrn()}`;
  await call("POST", `${base}/topics`, { name: "alerts", display_name: mark });
  await call("PUT", `${topic}/attributes/introduction`, { value: mark });
  await call("POST", `${topic}/subscriptions`, {
    protocol: "email",
    endpoint: `${mark}@example.test`,
    remark: mark,
  });
  await call("POST", `${base}/message_template`, {
    message_template_name: "greeting",
    protocol: "default",
    content: mark,
  });
  await call(
    "POST",
    `/v2/${server.credentials.project.id}/smn_topic/${topicUrn()}/tags`,
    { tag: { key: "owner", value: mark } },
  );
  await call("POST", "/api/v2/keys", { name: mark });
  await call("POST", "/api/v2/opt-outs", { recipient: "+4915112345678" });
}

/** All that the owner can list. */
async function snapshot(): Promise<readonly unknown[]> {
  const { base, call } = server;
  const things: unknown[] = [];
  for (const path of [
    `${base}/topics`,
    `${base}/topics/${topicUrn()}/attributes`,
    `${base}/subscriptions`,
    `${base}/message_template`,
    `/v2/${server.credentials.project.id}/smn_topic/${topicUrn()}/tags`,
    "/api/v2/messages",
    "/api/v2/keys",
    "/api/v2/opt-outs",
    "/api/v2/users",
    "/api/v2/projects",
    "/api/v2/access-keys",
  ]) {
    const { status, body } = await call("GET", path);
    assert.equal(status, 200, path);
    const { request_id: _, ...rest } = body;
    things.push(rest);
  }
  return things;
}
