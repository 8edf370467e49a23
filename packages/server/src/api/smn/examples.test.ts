/**
 * Runs recorded exchanges of SMN's API (`test-data/smn-examples.jsonl`), each
 * against a server of its own with what the exchange takes for granted.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { MessageTemplateId, ProjectId } from "@carillon/core";
import {
  certificateId,
  parse,
  startTestServer,
  type TestServer,
  testRegion,
  tokenIn,
} from "../../../test-support/test-server.ts";

interface Example {
  readonly op: string;
  readonly request: {
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    readonly path: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly answer: {
    readonly status: number;
    readonly code?: string;
    /** Members of the body that are counts. */
    readonly numbers?: Readonly<Record<string, number>>;
    /** Lengths of the body's lists. */
    readonly lengths?: Readonly<Record<string, number>>;
    readonly results?: readonly Readonly<Record<string, unknown>>[];
    readonly shape?: unknown;
    readonly headers?: readonly string[];
  };
}

const examples = readFileSync(
  new URL("../../../test-data/smn-examples.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Example);

const push = "mobile push is not offered: it answers 501";

/** Operations that are not offered, and why. */
const skippedOps: Readonly<Record<string, string>> = {
  CreateApplication: push,
  ListApplications: push,
  ListApplicationAttributes: push,
  UpdateApplication: push,
  DeleteApplication: push,
  CreateApplicationEndpoint: push,
  ListApplicationEndpoints: push,
  ListApplicationEndpointAttributes: push,
  UpdateApplicationEndpoint: push,
  DeleteApplicationEndpoint: push,
  PublishAppMessage: push,
};

function reasonToSkip({ op, request }: Example): string | undefined {
  const reason = skippedOps[op];
  return reason && `${reason} (${request.method})`;
}

for (const [index, example] of examples.entries()) {
  const { op, request, answer } = example;
  const skip = reasonToSkip(example);
  const name = `line ${index + 1}: ${op} answers ${answer.status}`;
  test(name, skip === undefined ? {} : { skip }, async () => {
    await using server = await startTestServer(
      answer.numbers?.status === 2
        ? { probe: async () => ({ kind: "unanswered" }) }
        : {},
    );
    const values = await setTheScene(server, example);
    const fill = (text: string) => fillIn(text, values);
    const query = new URLSearchParams(
      JSON.parse(fill(JSON.stringify(request.query ?? {}))),
    );
    const response = await server.app.inject({
      method: request.method,
      url: `${fill(request.path)}?${query}`,
      headers: JSON.parse(fill(JSON.stringify(request.headers ?? {}))),
      ...(request.body !== undefined && {
        payload: fill(JSON.stringify(request.body)),
      }),
    });

    assert.equal(response.statusCode, answer.status, response.body);
    const body = parse(response.body);
    for (const header of answer.headers ?? []) {
      assert.ok(response.headers[header], header);
    }
    if (answer.shape === undefined) {
      assert.equal(response.body, "");
      return;
    }
    assertShape(body, answer.shape, "body");
    if (answer.code !== undefined) {
      assertIsMember(body, "code", answer.code);
      assertIsMember(body, "error_code", answer.code);
    }
    for (const [member, value] of Object.entries(answer.numbers ?? {})) {
      assertIsMember(body, member, value);
    }
    for (const [member, length] of Object.entries(answer.lengths ?? {})) {
      const list = (body as Record<string, unknown>)[member];
      assert.ok(Array.isArray(list) && list.length === length, member);
    }
    if (answer.results) assertResults(body, answer.results);
    assert.match(String(response.headers["x-request-id"]), /^[0-9a-f]{32}$/);
  });
}

/** What there must be before the exchange, made through the API. */
async function setTheScene(
  server: TestServer,
  example: Example,
): Promise<Record<string, string>> {
  const { op, answer, request } = example;
  const { credentials, call, base, clock, sent } = server;
  const topicUrn = server.topicUrn("ops_alerts");
  const values: Record<string, string> = {
    origin: "http://localhost:80",
    region: testRegion,
    certificateId,
    topicUrn,
    projectId: credentials.project.id,
    projectName: credentials.project.name,
    domainName: credentials.domain,
    userName: credentials.user.name,
    password: credentials.user.password,
    emailSubscription: `${topicUrn}:${"0d".repeat(16)}`,
    httpsSubscription: `${topicUrn}:${"1e".repeat(16)}`,
  };
  const login = await server.identity.login.withPassword({
    user: { name: credentials.user.name },
    password: credentials.user.password,
    scope: { kind: "default" },
    address: "192.0.2.1",
  });
  values.authToken = login?.token ?? "";

  const isNewTopic = op === "CreateTopic" && answer.status === 201;
  const isEmptyProject = answer.numbers?.subscription_count === 0;
  if (isNewTopic || isEmptyProject) return values;
  await call("POST", `${base}/topics`, {
    name: "ops_alerts",
    display_name: "Ops alerts",
  });
  const topic = await call("GET", `${base}/topics/${topicUrn}`);
  values.topicId = topic.body.topic_id;

  const isNewSubscription = op.startsWith("Subscribe") && answer.status === 201;
  if (isNewSubscription) return values;
  const subscribe = async (body: unknown): Promise<string> => {
    const url = `${base}/topics/${topicUrn}/subscriptions`;
    const { body: added } = await call("POST", url, body);
    return added.subscription_urn;
  };
  values.emailSubscription = await subscribe({
    protocol: "email",
    endpoint: "oncall@example.test",
  });
  const isListOfTwo = answer.numbers?.subscription_count === 2;
  const isByProtocol = request.query?.protocol === "https";
  const isFiltered = op.includes("FilterPolices");
  if (isListOfTwo || isByProtocol || isFiltered) {
    values.httpsSubscription = await subscribe({
      protocol: "https",
      endpoint: "https://hooks.example.test/smn",
    });
  }
  if (op.includes("Template")) await addTemplates(server, example);
  if (/Tag|Resource/.test(op)) {
    await addTags(server, topic.body.topic_id, example);
  }
  // Messages to confirm go out; the links have the tokens.
  await clock.advanceSettled(1000);
  const content = sent.at(0)?.message.content;
  if (content?.kind === "confirmation") values.token = tokenIn(content);
  if (isByProtocol) {
    const asked = sent.at(1)?.message.content;
    if (asked?.kind === "confirmation") {
      const { subscriptionId, generation } = asked.grant;
      await server.store.confirmSubscription(subscriptionId, generation);
    }
    await call("POST", `${base}/subscriptions/filter_polices`, {
      polices: [
        {
          subscription_urn: values.httpsSubscription,
          filter_polices: [{ name: "severity", string_equals: ["critical"] }],
        },
      ],
    });
  }
  await bindToTopic(server, example, values);
  return values;
}

/** What exchanges name by ids that the server makes up. */
async function bindToTopic(
  { call, base }: TestServer,
  { op, request, answer }: Example,
  values: Record<string, string>,
): Promise<void> {
  const topic = `${base}/topics/${values.topicUrn}`;
  if (op === "AddSubscriptionFromSubscriptionUser") {
    const { body: who } = await call("GET", "/api/v2/whoami");
    const url = `/v2/${who.domainId}/subscription-users`;
    const { body } = await call("POST", url, {
      name: "On call",
      protocol: "sms",
      endpoint: "+491700000001",
    });
    values.subscriptionUser = body.id;
  }
  if (op === "ShowHttpDetectResult") {
    const { body } = await call("POST", `${topic}/detection`, {
      protocol: "https",
      endpoint: "https://hooks.example.test/smn",
    });
    values.detection = body.task_id;
  }
  const makers: Readonly<Record<string, readonly [string, object]>> = {
    Logtank: ["logtanks", { log_group_id: "g", log_stream_id: "s" }],
    KmsKey: ["kms", { key_id: "a" }],
    NotifyPolicy: [
      "notify-policy",
      {
        protocol: "callnotify",
        polling: [{ order: 1, subscription_urns: [values.emailSubscription] }],
      },
    ],
  };
  const maker = makers[op.replace(/^(List|Show|Update|Delete)/, "")];
  if (op.endsWith("KmsKey")) {
    // A key is there before it is bound.
    const { key_id = "a" } = (request.body ?? {}) as { key_id?: string };
    for (const id of new Set(["a", key_id])) {
      await call("POST", "/api/v2/keys", { name: `key-${id}`, id });
    }
  }
  if (!maker || answer.status !== 200) return;
  const { body } = await call("POST", `${topic}/${maker[0]}`, maker[1]);
  values.binding = body.id;
}

/** Templates the exchanges speak of; one of them by an id of its own. */
async function addTemplates(
  server: TestServer,
  { op, answer }: Example,
): Promise<void> {
  const now = server.clock.now();
  const add = (id: string, name: string, protocol: "default" | "sms") =>
    server.store.createTemplate(
      {
        id: id as MessageTemplateId,
        projectId: server.credentials.project.id as ProjectId,
        name,
        protocol,
        content: "Disk {disk} on {host} is full",
        tagNames: ["disk", "host"],
        createdAt: now,
        updatedAt: now,
      },
      100,
    );
  await add("1".repeat(32), "only_sms_variant", "sms");
  if (op === "CreateMessageTemplate" && answer.status === 201) return;
  await add("9f8e7d6c5b4a39281706f5e4d3c2b1a0", "disk_full", "default");
}

/** Tags as the exchanges count them. */
async function addTags(
  server: TestServer,
  topicId: string,
  { op, answer, request }: Example,
): Promise<void> {
  if (answer.lengths?.tags === 0 || op.startsWith("Create")) return;
  const tag = async (id: string, key: string, value: string) => {
    const path = `/v2/${server.credentials.project.id}/smn_topic/${id}/tags`;
    const { status } = await server.call("POST", path, { tag: { key, value } });
    assert.equal(status, 204, request.path);
  };
  await tag(topicId, "env", "prod");
  if (op !== "ListProjectTags") return;
  await server.call("POST", `${server.base}/topics`, { name: "other" });
  const { body } = await server.call(
    "GET",
    `${server.base}/topics/${server.topicUrn("other")}`,
  );
  await tag(body.topic_id, "env", "test");
  await tag(body.topic_id, "team", "ops");
}

function fillIn(
  text: string,
  values: Readonly<Record<string, string>>,
): string {
  return text.replace(/\{([a-z]\w+)\}/gi, (hole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? hole) : hole,
  );
}

/** Members must be there with their types; others may be there, too. */
function assertShape(value: unknown, shape: unknown, path: string): void {
  if (typeof shape === "string") {
    assert.equal(typeOf(value), shape, path);
    return;
  }
  if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value), path);
    for (const [i, item] of value.entries()) {
      const expected = shape[i] ?? shape[0];
      if (expected !== undefined) assertShape(item, expected, `${path}[${i}]`);
    }
    return;
  }
  assert.equal(typeOf(value), "object", path);
  for (const [name, inner] of Object.entries(shape as object)) {
    const member = (value as Record<string, unknown>)[name];
    assertShape(member, inner, `${path}.${name}`);
  }
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function assertIsMember(body: unknown, name: string, value: unknown): void {
  assert.equal((body as Record<string, unknown>)[name], value, name);
}

function assertResults(
  body: unknown,
  results: readonly Readonly<Record<string, unknown>>[],
): void {
  const { subscriptions_result: actual } = body as {
    subscriptions_result: readonly Record<string, unknown>[];
  };
  for (const [i, expected] of results.entries()) {
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(actual[i]?.[name], value, `result ${i}: ${name}`);
    }
  }
}
