import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptResult } from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import { startTestServer, tokenIn } from "../../../test-support/test-server.ts";

async function setUp(result?: AttemptResult) {
  const server = await startTestServer(result ? { result } : {});
  const { base, call, clock } = server;
  await call("POST", `${base}/topics`, { name: "a", display_name: "A" });
  const topic = `${base}/topics/${server.topicUrn("a")}`;
  const publish = async (body: object): Promise<string> =>
    (await call("POST", `${topic}/publish`, body)).body.message_id;
  const sendSms = async (): Promise<string> => {
    const body = { endpoint: "+491700000000", message: "secret code" };
    const sent = await call("POST", `${base}/sms`, body);
    await clock.advanceSettled(100);
    return sent.body.message_id;
  };
  return { server, topic, publish, sendSms };
}

test("answers who the caller is", async () => {
  const { server } = await setUp();
  await using _ = server;
  const { status, body } = await server.call("GET", "/api/v2/whoami");
  assert.equal(status, 200);
  assert.equal(body.userName, "admin");
  assert.equal(body.projectId, server.credentials.project.id);
  assert.equal(body.region, "test-1");
});

test("shows a message and its deliveries, with times and outcome", async () => {
  const { server, sendSms } = await setUp({
    outcome: "delivered",
    statusCode: 200,
    parts: [{ externalId: "ext-1" }],
    provider: "loopback",
    segments: 2,
  });
  await using _ = server;
  const id = await sendSms();
  const { body: message } = await server.call("GET", `/api/v2/messages/${id}`);
  assert.equal(message.audience, "direct");
  assert.equal(message.kind, "text");
  assert.equal(message.text, "secret code");
  assert.equal(message.acceptedAt, "2026-01-01T00:00:00.000Z");
  assert.equal(message.fannedOut, true);
  assert.deepEqual(message.counts, { delivered: 1 });
  const { body: list } = await server.call(
    "GET",
    `/api/v2/messages/${id}/deliveries`,
  );
  const [delivery] = list.deliveries;
  assert.equal(list.next, undefined);
  assert.equal(delivery.messageId, id);
  assert.equal(delivery.protocol, "sms");
  assert.equal(delivery.endpoint, "+491700000000");
  assert.equal(delivery.state, "delivered");
  assert.equal(delivery.attemptCount, 1);
  assert.equal(delivery.attempts[0].statusCode, 200);
  assert.equal(delivery.externalId, "ext-1");
  assert.deepEqual(delivery.parts, [
    {
      attempt: 1,
      provider: "loopback",
      externalId: "ext-1",
      state: "delivered",
    },
  ]);
  assert.equal(delivery.provider, "loopback");
  assert.equal(delivery.segments, 2);
  assert.equal(delivery.acceptedAt, message.acceptedAt);
  assert.match(delivery.firstAttemptAt, /^2026-01-01T00:00:00\.\d{3}Z$/);
  assert.equal(typeof delivery.latencyMs, "number");
  const one = await server.call("GET", `/api/v2/deliveries/${delivery.id}`);
  assert.deepEqual(one.body, delivery);
});

test("explains a delivery that failed", async () => {
  const { server, sendSms } = await setUp({
    outcome: "rejected",
    errorClass: "provider",
    error: "unknown subscriber",
    statusCode: 422,
  });
  await using _ = server;
  const id = await sendSms();
  const { body } = await server.call(
    "GET",
    `/api/v2/messages/${id}/deliveries`,
  );
  const [delivery] = body.deliveries;
  assert.ok(["rejected", "failed"].includes(delivery.state));
  assert.equal(delivery.errorClass, "provider");
  assert.equal(delivery.error, "unknown subscriber");
  assert.equal(delivery.attempts[0].statusCode, 422);
  assert.equal(delivery.latencyMs, undefined);
  assert.ok(delivery.finishedAt);
});

test("pages of messages begin behind a message", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.unshift(await publish({ message: `${i}` }));
  const pages: string[][] = [];
  let before = "";
  for (;;) {
    const { body } = await server.call(
      "GET",
      `/api/v2/messages?limit=2${before}`,
    );
    pages.push(body.messages.map(({ id }: { id: string }) => id));
    if (body.next === undefined) break;
    before = `&before=${body.next}`;
  }
  assert.deepEqual(pages, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
});

test("messages are listed by topic, state and time, with their first words", async () => {
  const { server, publish, sendSms } = await setUp({
    outcome: "rejected",
    errorClass: "provider",
    error: "no",
  });
  await using _ = server;
  const { base, call, clock } = server;
  const long = `${"🛎".repeat(79)}x${"y".repeat(100)}`;
  const published = await publish({ message: long });
  const failed = await sendSms();
  const now = new Date(clock.now()).toISOString();
  const last = await publish({ subject: "s", message: "short" });
  const list = async (query: string) => {
    const { body } = await call("GET", `/api/v2/messages?${query}`);
    return body.messages.map(({ id }: { id: string }) => id);
  };
  const topicUrn = server.topicUrn("a");
  assert.deepEqual(await list(`topicUrn=${topicUrn}`), [last, published]);
  assert.deepEqual(await list("state=rejected"), [failed]);
  assert.deepEqual(await list("state=expired"), []);
  assert.deepEqual(await list(`since=${now}`), [last]);
  assert.deepEqual(await list(`state=rejected&topicUrn=${topicUrn}`), []);
  const { body } = await call("GET", "/api/v2/messages");
  assert.deepEqual(
    body.messages.map(({ excerpt }: { excerpt: string }) => excerpt),
    ["short", "secret code", `${"🛎".repeat(79)}x`],
  );
  await call("DELETE", `${base}/topics/${topicUrn}`);
  const gone = await call("GET", `/api/v2/messages?topicUrn=${topicUrn}`);
  assert.deepEqual([gone.status, gone.body.code], [404, "TOPIC_NOT_FOUND"]);
});

test("pages of deliveries begin behind a delivery, and have a state", async () => {
  const { server, topic, publish } = await setUp();
  await using _ = server;
  const { call, clock } = server;
  for (let i = 0; i < 5; i++) {
    await call("POST", `${topic}/subscriptions`, {
      protocol: "https",
      endpoint: `https://a.test/${i}`,
    });
  }
  await clock.advanceSettled(100);
  for (const { message } of [...server.sent]) {
    if (message.content.kind !== "confirmation") continue;
    const query = `token=${tokenIn(message.content)}`;
    await call("GET", `/smn/subscription/confirm?${query}`);
  }
  const id = await publish({ message: "m" });
  await clock.advanceSettled(1000);
  const list = `/api/v2/messages/${id}/deliveries`;
  const { body: first } = await call("GET", `${list}?limit=3`);
  assert.equal(first.deliveries.length, 3);
  const { body: rest } = await call("GET", `${list}?after=${first.next}`);
  assert.equal(rest.deliveries.length, 2);
  assert.equal(rest.next, undefined);
  const endpoints = [...first.deliveries, ...rest.deliveries].map(
    ({ endpoint }) => endpoint,
  );
  assert.equal(new Set(endpoints).size, 5);
  assert.match(
    first.deliveries[0].subscriptionUrn,
    /^urn:smn:.*:[0-9a-f]{32}$/,
  );
  const { body: done } = await call("GET", `${list}?state=delivered`);
  assert.equal(done.deliveries.length, 5);
  const { body: failed } = await call("GET", `${list}?state=failed`);
  assert.deepEqual(failed.deliveries, []);
});

test("does not show the token of a confirmation", async () => {
  const { server, topic } = await setUp();
  await using _ = server;
  await server.call("POST", `${topic}/subscriptions`, {
    protocol: "email",
    endpoint: "a@example.test",
  });
  await server.clock.advanceSettled(100);
  const content = server.sent[0]?.message.content;
  assert.ok(content?.kind === "confirmation");
  const { body: list } = await server.call("GET", "/api/v2/messages");
  const { id, kind } = list.messages[0];
  assert.equal(kind, "confirmation");
  for (const path of [id, `${id}/deliveries`]) {
    const { body } = await server.call("GET", `/api/v2/messages/${path}`);
    assert.ok(!JSON.stringify(body).includes(tokenIn(content)));
  }
});

test("the range of hours is said where it is left", async () => {
  await using server = await startTestServer();
  const { base, call } = server;
  await call("POST", `${base}/topics`, { name: "alerts" });
  const path = `/api/v2/topics/${server.topicUrn("alerts")}/statistics`;
  for (const hours of ["0", "10000", "x", "-1", "1.5", ""]) {
    const { status, body } = await call("GET", `${path}?hours=${hours}`);
    assert.equal(status, 400, hours);
    assert.equal(body.code, "REQUEST_INVALID");
    assert.match(body.detail, /hours: a number from 1 to 9999 is expected/);
  }
  for (const query of ["", "?hours=1", "?hours=9999"]) {
    assert.equal((await call("GET", path + query)).status, 200, query);
  }
});

test("refusals are problems with a stable code and an explanation", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const id = await publish({ message: "m" });
  const other = "f".repeat(32);
  const cases = [
    ["/api/v2/messages/x", 404, "MESSAGE_NOT_FOUND"],
    [`/api/v2/messages/${other}`, 404, "MESSAGE_NOT_FOUND"],
    [`/api/v2/messages/${other}/deliveries`, 404, "MESSAGE_NOT_FOUND"],
    [`/api/v2/deliveries/${id}-7`, 404, "DELIVERY_NOT_FOUND"],
    ["/api/v2/deliveries/x", 404, "DELIVERY_NOT_FOUND"],
    [`/api/v2/messages?before=${other}`, 404, "MESSAGE_NOT_FOUND"],
    ["/api/v2/messages?limit=0", 400, "PAGE_INVALID"],
    ["/api/v2/messages?limit=1001", 400, "PAGE_INVALID"],
    ["/api/v2/messages?limit=x", 400, "PAGE_INVALID"],
    ["/api/v2/audit?limit=1000000", 400, "PAGE_INVALID"],
    ["/api/v2/messages?state=x", 400, "REQUEST_INVALID"],
    ["/api/v2/messages?since=yesterday", 400, "REQUEST_INVALID"],
    ["/api/v2/messages?since=2026-02-30T00:00:00Z", 400, "REQUEST_INVALID"],
    ["/api/v2/messages?since=2026-02-28", 400, "REQUEST_INVALID"],
    ["/api/v2/messages?topicUrn=x", 400, "TOPIC_URN_INVALID"],
    ["/api/v2/messages?limit=1&limit=2", 400, "PAGE_INVALID"],
    [`/api/v2/messages/${id}/deliveries?state=x`, 400, "REQUEST_INVALID"],
    [`/api/v2/messages/${id}/deliveries?after=x`, 400, "PAGE_INVALID"],
    ["/api/v2/nothing", 404, "ROUTE_NOT_FOUND"],
    ["/api/v2/sandbox", 404, "ROUTE_NOT_FOUND"],
  ] as const;
  for (const [url, status, code] of cases) {
    const answer = await server.call("GET", url);
    assert.equal(answer.status, status, url);
    assert.match(
      String(answer.headers["content-type"]),
      /^application\/problem\+json/,
    );
    assert.equal(answer.body.code, code);
    assert.equal(answer.body.status, status);
    assert.ok(answer.body.title && answer.body.detail);
    if (url.includes("limit=") && !url.includes("&")) {
      assert.match(answer.body.detail, /from 1 to 1000 is expected/, url);
    }
    assert.equal(answer.body.requestId, answer.headers["x-request-id"]);
    const { pathname } = new URL(answer.body.type);
    const explained = await server.call("GET", pathname);
    assert.equal(explained.body.code, code);
    assert.equal(explained.body.status, status);
  }
  const unknown = await server.app.inject({ url: "/api/v2/messages" });
  assert.equal(unknown.statusCode, 401);
  assert.equal(unknown.json().code, "AUTHENTICATION_FAILED");
});

test("another project's messages are not there", async () => {
  const { server, publish } = await setUp();
  await using _ = server;
  const id = await publish({ message: "m" });
  const project = "c".repeat(32) as never;
  const [domain] = await server.store.listDomains();
  const domainId = domain?.id ?? "";
  await server.store.putProject({ id: project, name: "other", domainId });
  const admin = await server.store.findUserByName(domainId, "admin");
  const token = await server.identity.tokens.issue({
    userId: admin?.id ?? "",
    projectId: project,
    methods: ["token"],
  });
  for (const path of [id, `${id}/deliveries`]) {
    const response = await server.app.inject({
      url: `/api/v2/messages/${path}`,
      headers: { "x-auth-token": token },
    });
    assert.equal(response.statusCode, 404);
  }
});

test("what went wrong here is in the log alone", async () => {
  const store = new MemoryStore();
  await using server = await startTestServer({ store });
  Object.assign(store, {
    listMessages: async () => {
      throw new Error("secret detail");
    },
  });
  const { status, body } = await server.call("GET", "/api/v2/messages");
  assert.equal(status, 500);
  assert.equal(body.code, "INTERNAL_ERROR");
  assert.ok(!JSON.stringify(body).includes("secret detail"));
  assert.equal(server.complaints[0]?.event, "request_failed");
});

test("describes itself as OpenAPI 3.1, and only itself", async () => {
  const { server } = await setUp();
  await using _ = server;
  const response = await server.app.inject({ url: "/api/v2/openapi.json" });
  const document = response.json();
  assert.equal(document.openapi, "3.1.0");
  const kinds = "text, structure, confirmation, unsubscription, event, mail";
  assert.ok(response.body.includes(`"description":"${kinds}"`));
  const paths = Object.keys(document.paths);
  assert.deepEqual(paths.sort(), [
    "/api/v2/access-keys",
    "/api/v2/access-keys/{accessKey}",
    "/api/v2/access-keys/{accessKey}/rotate",
    "/api/v2/access/explain",
    "/api/v2/audit",
    "/api/v2/config/reload",
    "/api/v2/deliveries/{deliveryId}",
    "/api/v2/deliveries/{deliveryId}/cancel",
    "/api/v2/deliveries/{deliveryId}/mail-events",
    "/api/v2/deliveries/{deliveryId}/resend",
    "/api/v2/deliveries/{deliveryId}/settle",
    "/api/v2/delivery-jobs",
    "/api/v2/delivery-jobs/preview",
    "/api/v2/delivery-jobs/{jobId}",
    "/api/v2/delivery-jobs/{jobId}/cancel",
    "/api/v2/disallowed-objects/{channel}",
    "/api/v2/domains",
    "/api/v2/domains/{domainId}",
    "/api/v2/email-suppressions",
    "/api/v2/email-suppressions/{address}",
    "/api/v2/emails",
    "/api/v2/emails/batch-runs",
    "/api/v2/emails/bulk",
    "/api/v2/emails/from-template",
    "/api/v2/emails/was-sent",
    "/api/v2/emails/{deliveryId}",
    "/api/v2/emails/{deliveryId}/attachments/{place}",
    "/api/v2/emails/{deliveryId}/cancel",
    "/api/v2/emails/{deliveryId}/related-objects",
    "/api/v2/emails/{deliveryId}/retry",
    "/api/v2/events",
    "/api/v2/guards",
    "/api/v2/imports/{name}",
    "/api/v2/imports/{name}/batches",
    "/api/v2/inbound",
    "/api/v2/inbound/{inboundId}",
    "/api/v2/keys",
    "/api/v2/keys/{keyId}/disable",
    "/api/v2/keys/{keyId}/enable",
    "/api/v2/messages",
    "/api/v2/messages/{messageId}",
    "/api/v2/messages/{messageId}/cancel",
    "/api/v2/messages/{messageId}/deliveries",
    "/api/v2/opt-outs",
    "/api/v2/opt-outs/{recipient}",
    "/api/v2/problems",
    "/api/v2/problems/{code}",
    "/api/v2/projects",
    "/api/v2/projects/{projectId}",
    "/api/v2/providers",
    "/api/v2/providers/{name}",
    "/api/v2/providers/{name}/pause",
    "/api/v2/providers/{name}/resume",
    "/api/v2/providers/{name}/reveal",
    "/api/v2/providers/{name}/test",
    "/api/v2/publishers",
    "/api/v2/publishers/{name}",
    "/api/v2/publishers/{name}/categories",
    "/api/v2/publishers/{name}/messages",
    "/api/v2/publishers/{name}/secret",
    "/api/v2/signing-keys",
    "/api/v2/signing-keys/rotate",
    "/api/v2/sms",
    "/api/v2/sms/batch-runs",
    "/api/v2/sms/bulk",
    "/api/v2/sms/delivery-checks",
    "/api/v2/sms/explain",
    "/api/v2/sms/from-template",
    "/api/v2/sms/was-sent",
    "/api/v2/sms/{deliveryId}",
    "/api/v2/sms/{deliveryId}/cancel",
    "/api/v2/sms/{deliveryId}/related-objects",
    "/api/v2/sms/{deliveryId}/retry",
    "/api/v2/subscribers",
    "/api/v2/subscribers/{name}",
    "/api/v2/subscribers/{name}/following",
    "/api/v2/subscribers/{name}/secret",
    "/api/v2/subscriptions/{mailbox}/dead",
    "/api/v2/subscriptions/{mailbox}/dead:redrive",
    "/api/v2/subscriptions/{mailbox}/messages",
    "/api/v2/subscriptions/{mailbox}/messages:ack",
    "/api/v2/subscriptions/{mailbox}/messages:extend",
    "/api/v2/subscriptions/{mailbox}/messages:nack",
    "/api/v2/subscriptions/{mailbox}/stream",
    "/api/v2/subscriptions/{mailbox}/ws",
    "/api/v2/subscriptions/{subscriptionUrn}",
    "/api/v2/subscriptions/{subscriptionUrn}/signature",
    "/api/v2/subscriptions/{subscriptionUrn}/signature/reveal",
    "/api/v2/subscriptions/{subscriptionUrn}/signature/rotate",
    "/api/v2/templates",
    "/api/v2/templates/{channel}/{slug}",
    "/api/v2/templates/{channel}/{slug}/can-send",
    "/api/v2/templates/{channel}/{slug}/disallowed-objects",
    "/api/v2/templates/{channel}/{slug}/preview",
    "/api/v2/topics/{topicUrn}/log",
    "/api/v2/topics/{topicUrn}/notify-policy",
    "/api/v2/topics/{topicUrn}/statistics",
    "/api/v2/topics/{topicUrn}/subscriptions",
    "/api/v2/users",
    "/api/v2/users/{userId}",
    "/api/v2/users/{userId}/projects/{projectId}",
    "/api/v2/users/{userId}/rotate",
    "/api/v2/whoami",
  ]);
  const list = document.paths["/api/v2/messages/{messageId}/deliveries"].get;
  const names = list.parameters.map(({ name }: { name: string }) => name);
  assert.deepEqual(names.sort(), ["after", "limit", "messageId", "state"]);
  assert.deepEqual(Object.keys(list.responses).sort(), ["200", "4XX", "5XX"]);
  assert.ok(!response.body.includes("errorCode"));
});
