/**
 * Holds each route of the server, from its own table, against the table of
 * permissions: every role asks for its own project, a sibling project of its
 * domain, and a project of another domain. Whoever adds a route need not add
 * it here.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { silentLogger, type UserRole } from "@carillon/core";
import { ManualClock } from "@carillon/testing";
import fastify from "fastify";
import { inject } from "../../test-support/inject.ts";
import {
  startTestServer,
  type TestServer,
} from "../../test-support/test-server.ts";
import {
  credentialProjects,
  type Operation,
  permissions,
  type ReachKind,
} from "../identity/permissions.ts";
import { createSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { guardRoutes } from "./authorization.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Place = "own" | "sibling" | "other";

interface Route {
  readonly method: Method;
  /** With `:parameters`. */
  readonly url: string;
  readonly operation: Exclude<Operation, "public">;
}

/** What there is in each project, with the project's domain. */
interface Things {
  /** Stands in all texts, and in no id. */
  readonly mark: string;
  readonly domainId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly accessKey: string;
  readonly topicUrn: string;
  readonly subscriptionUrn: string;
  readonly templateId: string;
  readonly messageId: string;
  readonly keyId: string;
  readonly contactId: string;
}

interface Caller {
  readonly userId: string;
  readonly authorization: string;
}

const roles = ["member", "admin", "operator"] as const;
const places = ["own", "sibling", "other"] as const;
const marks: Readonly<Record<Place, string>> = {
  own: "mark-own",
  sibling: "mark-sibling",
  other: "mark-other",
};

let sandbox: Sandbox;
let server: TestServer;
let routes: readonly Route[];
let things: Readonly<Record<Place, Things>>;
let callers: Readonly<Record<UserRole, Caller>>;
let names = 0;

before(async () => {
  sandbox = await createSandbox({
    clock: new ManualClock(),
    logger: silentLogger,
  });
  server = await startTestServer({ sandbox });
  routes = server.routes.flatMap(({ method, url, config }) => {
    const { operation = "public" } = config ?? {};
    if (operation === "public") return [];
    return [method]
      .flat()
      .filter((one): one is Method => one !== "HEAD")
      .map((one) => ({ method: one, url, operation }));
  });
  const acme = await create("domains", { name: "mark-own mark-sibling" });
  const other = await create("domains", { name: marks.other });
  things = {
    own: await addThings(acme.id, marks.own),
    sibling: await addThings(acme.id, marks.sibling),
    other: await addThings(other.id, marks.other),
  };
  callers = {
    member: await addCaller("member"),
    admin: await addCaller("admin"),
    operator: await addCaller("operator"),
  };
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  await sandbox?.close();
});

test("the walk has the routes of each operation", () => {
  const walked = new Set(routes.map(({ operation }) => operation));
  assert.deepEqual([...walked].sort(), Object.keys(permissions).sort());
  assert.ok(routes.length > 120, String(routes.length));
});

test("what the table does not allow is refused, and changes nothing", async () => {
  const before = await snapshot();
  let refused = 0;
  for (const [route, role, place] of everyRequest()) {
    if (isAllowed(route, role, place)) continue;
    const answer = await ask(route, role, place);
    const where = `${nameOf(route)} as ${role}, ${place}: ${answer.status} ${answer.text.slice(0, 200)}`;
    assert.ok([400, 403, 404].includes(answer.status), where);
    // The path says whose it is, or the role may not at all.
    if (
      permissions[route.operation][role] === "none" ||
      (/:project_id/.test(route.url) && route.operation !== "session.use")
    ) {
      assert.equal(answer.status, 403, where);
    }
    checkMarks(answer.text, route, role, where);
    refused++;
  }
  assert.ok(refused > 300, String(refused));
  assert.deepEqual(await snapshot(), before);
});

test("what the table allows is not refused, and shows nothing else", async () => {
  for (const [route, role, place] of everyRequest()) {
    if (!isAllowed(route, role, place)) continue;
    // What is changed or deleted is made anew for each request.
    const isManaged = /^(domains|projects|users|access-keys)\./.test(
      route.operation,
    );
    const answer = await ask(
      route,
      role,
      place,
      isManaged && route.method !== "GET"
        ? await addManaged(things[place])
        : things[place],
    );
    const where = `${nameOf(route)} as ${role}, ${place}: ${answer.status} ${answer.text.slice(0, 200)}`;
    assert.ok(answer.status !== 401 && answer.status !== 403, where);
    if (isManaged) {
      // Neither domain is empty.
      const isFull = nameOf(route).startsWith("DELETE /api/v2/domains");
      assert.equal(answer.status < 300 || isFull, true, where);
      if (isFull) assert.equal(answer.status, 409, where);
    }
    checkMarks(answer.text, route, role, where);
    if (/^GET \/api\/v2\/(domains|projects|users)$/.test(nameOf(route))) {
      for (const place of places) {
        const isShown = answer.text.includes(marks[place]);
        assert.equal(isShown, isReached(route.operation, role, place), where);
      }
    }
  }
});

const nobody = { authenticate: async () => undefined };

const noAccounts = { pullSubscribers: nobody, pullPublishers: nobody };

test("a route without an operation keeps the app from starting", async () => {
  await using app = fastify();
  guardRoutes(app, server.identity, noAccounts);
  app.get("/named", { config: { operation: "topics.read" } }, async () => "");
  app.get("/nameless", async () => "");
  await assert.rejects(
    async () => await app.ready(),
    /without an operation .*: GET \/nameless, HEAD \/nameless$/,
  );
});

function* everyRequest(): Generator<[Route, UserRole, Place]> {
  for (const route of routes) {
    for (const role of roles) {
      for (const place of places) yield [route, role, place];
    }
  }
}

function isReached(
  operation: Route["operation"],
  role: UserRole,
  place: Place,
): boolean {
  const kind: ReachKind = permissions[operation][role];
  switch (kind) {
    case "none":
      return false;
    case "project":
      return place === "own";
    case "domain":
      return place !== "other";
    case "self":
    case "all":
      return true;
    default:
      return kind satisfies never;
  }
}

/** Whether the table allows a request that names something of the place. */
function isAllowed(route: Route, role: UserRole, place: Place): boolean {
  const { operation, url } = route;
  if (permissions[operation][role] === "none") return false;
  if (operation === "session.use") {
    return !url.includes(":project_id") || mayEnter(role, place);
  }
  if (!namesPlace(route)) return true;
  // A domain in the path is the same for its projects.
  const isDomains = url.includes(":domain_id") && !url.includes(":user_id");
  return isReached(
    operation,
    role,
    isDomains && place === "sibling" ? "own" : place,
  );
}

/** Whether credentials of the role can be for the project. */
function mayEnter(role: UserRole, place: Place): boolean {
  switch (credentialProjects[role]) {
    case "assigned":
      return place === "own";
    case "domain":
      return place !== "other";
    case "all":
      return true;
    default:
      return credentialProjects[role] satisfies never;
  }
}

/** Whether path or body of its requests name something of a project. */
function namesPlace({ method, url }: Route): boolean {
  return (
    /:(project_id|domain_id|topic_urn|topicUrn|subscription_urn|messageId|deliveryId|keyId|userId|projectId|accessKey|domainId)/.test(
      url,
    ) ||
    (method === "POST" && /\/(projects|users|access-keys|explain)$/.test(url))
  );
}

/** Nothing of a project that is out of reach is shown. */
function checkMarks(
  text: string,
  { operation, url }: Route,
  role: UserRole,
  where: string,
): void {
  if (operation === "service.read") return;
  for (const place of places) {
    const isShown =
      operation === "session.use"
        ? mayEnter(role, place)
        : isReached(operation, role, place);
    // Who the caller is says the name of its domain.
    const rest =
      url.startsWith("/v3/") || url.endsWith("/whoami")
        ? text.replaceAll("mark-own mark-sibling", "")
        : text;
    if (!isShown) assert.ok(!rest.includes(marks[place]), where);
  }
}

async function ask(
  { method, url }: Route,
  role: UserRole,
  place: Place,
  named = things[place],
): Promise<{ readonly status: number; readonly text: string }> {
  const { userId, authorization } = callers[role];
  const path = url
    // One's own projects: those of others are refused to everybody.
    .replace("/v3/users/:user_id", `/v3/users/${userId}`)
    .replace(/:(\w+)/g, (_, name: string) =>
      encodeURIComponent(parameterOf(name, named)),
    );
  const response = await inject(server.app, {
    method,
    url: path,
    // Not from this machine, to which metrics are shown.
    remoteAddress: "192.0.2.1",
    headers: {
      authorization,
      ...(method !== "GET" && { "content-type": "application/json" }),
    },
    ...(method !== "GET" && {
      payload: JSON.stringify(bodyOf(method, url, named)),
    }),
  });
  return { status: response.statusCode, text: response.body };
}

function parameterOf(name: string, named: Things): string {
  switch (name) {
    case "project_id":
    case "projectId":
      return named.projectId;
    case "domain_id":
    case "domainId":
      return named.domainId;
    case "topic_urn":
    case "topicUrn":
    case "resource_id":
      return named.topicUrn;
    case "subscription_urn":
      return named.subscriptionUrn;
    case "message_template_id":
      return named.templateId;
    case "messageId":
      return named.messageId;
    case "deliveryId":
      return `${named.messageId}-1`;
    case "keyId":
      return named.keyId;
    case "userId":
      return named.userId;
    case "user_id":
      return named.contactId;
    case "accessKey":
      return named.accessKey;
    case "recipient":
    case "number":
      return "4915112345678";
    default:
      return "0123456789abcdef0123456789abcdef";
  }
}

/** Right for what manages identity; empty for the rest. */
function bodyOf(method: Method, url: string, named: Things): object {
  const { domainId, projectId, userId, topicUrn } = named;
  switch (`${method} ${url}`) {
    case "POST /api/v2/domains":
      return { name: newName() };
    case "POST /api/v2/projects":
      return { name: newName(), domainId };
    case "POST /api/v2/users":
      return { name: newName(), domainId, projectIds: [projectId] };
    case "POST /api/v2/access-keys":
      return { userId, projectId };
    case "POST /api/v2/access/explain":
      return {
        topicUrn,
        action: "SMN:Publish",
        principal: { domainId, projectId },
      };
    default:
      return method === "PATCH" ? { enabled: true } : {};
  }
}

function nameOf({ method, url }: Route): string {
  return `${method} ${url}`;
}

function newName(): string {
  return `n${++names}`;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
async function create(path: string, body: object): Promise<any> {
  const created = await server.call("POST", `/api/v2/${path}`, body);
  assert.equal(created.status, 201, JSON.stringify(created.body));
  return created.body;
}

/** A user of the role in the domain of `own`, with a key for its project. */
async function addCaller(role: UserRole): Promise<Caller> {
  const { domainId, projectId } = things.own;
  const user = await create("users", {
    name: newName(),
    domainId,
    role,
    projectIds: [projectId],
  });
  const key = await create("access-keys", { userId: user.id, projectId });
  return { userId: user.id, authorization: headerOf(key) };
}

function headerOf(key: {
  readonly accessKey: string;
  readonly secretKey: string;
}): string {
  const pair = Buffer.from(`${key.accessKey}:${key.secretKey}`);
  return `Basic ${pair.toString("base64")}`;
}

/** A user, its key and an empty project, to be changed or deleted. */
async function addManaged(there: Things): Promise<Things> {
  const { domainId } = there;
  const { id: projectId } = await create("projects", {
    name: newName(),
    domainId,
  });
  const { id: userId } = await create("users", {
    name: newName(),
    domainId,
    projectIds: [projectId],
  });
  const { accessKey } = await create("access-keys", { userId, projectId });
  return { ...there, projectId, userId, accessKey };
}

async function addThings(domainId: string, mark: string): Promise<Things> {
  const { id: projectId } = await create("projects", { name: mark, domainId });
  const { id: userId } = await create("users", {
    name: mark,
    domainId,
    projectIds: [projectId],
  });
  const key = await create("access-keys", { userId, projectId });
  const call = async (method: Method, url: string, body?: object) => {
    const response = await server.app.inject({
      method,
      url,
      headers: {
        authorization: headerOf(key),
        "content-type": "application/json",
      },
      ...(body && { payload: JSON.stringify(body) }),
    });
    assert.ok(response.statusCode < 300, `${url}: ${response.body}`);
    return response.json();
  };
  const base = `/v2/${projectId}/notifications`;
  const { topic_urn: topicUrn } = await call("POST", `${base}/topics`, {
    name: "alerts",
    display_name: mark,
  });
  const topic = `${base}/topics/${topicUrn}`;
  const { subscription_urn: subscriptionUrn } = await call(
    "POST",
    `${topic}/subscriptions`,
    { protocol: "email", endpoint: `${mark}@example.test`, remark: mark },
  );
  const { message_template_id: templateId } = await call(
    "POST",
    `${base}/message_template`,
    { message_template_name: mark, protocol: "default", content: mark },
  );
  const { message_id: messageId } = await call("POST", `${topic}/publish`, {
    subject: mark,
    message: mark,
  });
  const { id: keyId } = await call("POST", "/api/v2/keys", { name: mark });
  const { id: contactId } = await call(
    "POST",
    `/v2/${domainId}/subscription-users`,
    { name: mark, protocol: "email", endpoint: `${mark}@example.test` },
  );
  return {
    mark,
    domainId,
    projectId,
    userId,
    accessKey: key.accessKey,
    topicUrn,
    subscriptionUrn,
    templateId,
    messageId,
    keyId,
    contactId,
  };
}

/** What the store has of everybody. */
async function snapshot(): Promise<unknown> {
  const { store } = server;
  const page = { offset: 0, limit: 1000 };
  return {
    domains: await store.listDomains(),
    projects: await store.listProjects(),
    users: await store.listUsers(),
    accessKeys: await store.listAccessKeys(),
    keys: await store.findSetting("kms_keys"),
    things: await Promise.all(
      (await store.listProjects()).map(async ({ id }) => [
        await store.listTopics(id, {}, page),
        await store.listSubscriptions(id, {}, page),
        await store.listTemplates(id, {}, page),
      ]),
    ),
    contacts: await Promise.all(
      (await store.listDomains()).map(({ id }) =>
        store.listSubscriptionUsers({ kind: "domain", domainId: id }, page),
      ),
    ),
  };
}
