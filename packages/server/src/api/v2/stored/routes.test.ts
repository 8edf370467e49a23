import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptResult } from "@carillon/core";
import {
  startTestServer,
  type TestServer,
} from "../../../../test-support/test-server.ts";

const phone = "+420777123456";
const text = { to: phone, text: "hi" };
const mail = { to: "ada@example.org", subject: "Invoice", html: "<b>hi</b>" };
const user = { type: "user", id: 7 };

const failure: AttemptResult = {
  outcome: "deferred",
  errorClass: "unreachable",
  error: "refused",
};

/** As the API has it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
type Body = any;

/** Posts below `/api/v2`, and expects that it is taken. */
async function post(
  server: TestServer,
  path: string,
  body: object = {},
): Promise<Body> {
  const answer = await server.call("POST", `/api/v2/${path}`, body);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return answer.body;
}

async function get(server: TestServer, path: string): Promise<Body> {
  const answer = await server.call("GET", `/api/v2/${path}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function idsOf(server: TestServer, path: string): Promise<string[]> {
  const { messages } = await get(server, path);
  return messages.map(({ id }: { id: string }) => id);
}

test("a text says what becomes of its accents, in a bulk too", async () => {
  await using server = await startTestServer();
  const czech = { text: "Žluťoučký kůň", accents: "strip-ascii" };
  const one = await post(server, "sms", { to: phone, ...czech });
  assert.equal(one.text, "Zlutoucky kun");
  const { messages } = await post(server, "sms/bulk", {
    to: [phone],
    ...czech,
  });
  const found = await get(server, `sms/${messages[0].id}`);
  assert.equal(found.text, "Zlutoucky kun");
});

test("a text is answered as it was stored, and found again with all of it", async () => {
  await using server = await startTestServer();
  const { status, headers, body } = await server.call("POST", "/api/v2/sms", {
    ...text,
    tag: "welcome",
    sender: "ACME",
    priority: 1,
    relatedObjects: [user],
    extraData: { cart: [1] },
    class: "otp",
    timeToLiveSeconds: 60,
    statusUrl: "https://a.example/told",
  });
  assert.equal(status, 201);
  assert.equal(headers.location, `/api/v2/sms/${body.id}`);
  const at = "2026-01-01T00:00:00.000Z";
  const { delivery: _, changedAt: __, ...record } = body;
  assert.deepEqual(record, {
    id: body.id,
    createdAt: at,
    to: phone,
    sender: "ACME",
    state: "waiting",
    pymessState: { name: "WAITING", number: 1 },
    tag: "welcome",
    attempts: 0,
    priority: 1,
    relatedObjects: [{ type: "user", id: "7", createdAt: at, changedAt: at }],
    attachments: [],
    failed: false,
    isFinal: false,
    isFailure: false,
    text: "hi",
    expiresAt: "2026-01-01T00:01:00.000Z",
    class: "otp",
    statusUrl: "https://a.example/told",
    sms: { sender: "ACME" },
    extraData: { cart: [1] },
  });
  await server.clock.advanceSettled(100);
  const found = await get(server, `sms/${body.id}`);
  assert.equal(found.state, "delivered");
  assert.deepEqual(found.pymessState, { name: "DELIVERED", number: 7 });
  assert.deepEqual([found.attempts, found.isFinal], [1, true]);
  assert.equal(found.delivery.attempts.length, 1);
  assert.equal(found.delivery.id, body.id);
  assert.deepEqual(await get(server, `deliveries/${body.id}`), found.delivery);
});

test("what is waited for is answered with its outcome", async () => {
  await using server = await startTestServer({ result: failure });
  const sending = post(server, "sms", { ...text, waitSeconds: 5 });
  await server.clock.advanceSettled(100);
  const message = await sending;
  assert.equal(message.state, "retrying");
  assert.deepEqual(message.pymessState, { name: "ERROR_RETRY", number: 9 });
  assert.deepEqual(
    [message.failed, message.isFinal, message.isFailure, message.error],
    [true, false, false, "refused"],
  );
});

test("a mail has HTML, files and options; its files are given out as files", async () => {
  await using server = await startTestServer();
  const content = Buffer.from("%PDF").toString("base64");
  const message = await post(server, "emails", {
    ...mail,
    email: { replyTo: "eve@example.org", senderName: "Shop" },
    attachments: [
      { name: "a ü.pdf", contentType: "application/pdf", content },
      {
        name: "l.png",
        contentType: "image/png",
        content: "AA==",
        contentId: "l",
      },
    ],
  });
  const found = await get(server, `emails/${message.id}`);
  assert.deepEqual(
    [found.subject, found.html, found.email],
    [
      "Invoice",
      "<b>hi</b>",
      { senderName: "Shop", replyTo: "eve@example.org" },
    ],
  );
  assert.deepEqual(found.attachments, [
    { name: "a ü.pdf", contentType: "application/pdf", size: 4 },
    { name: "l.png", contentType: "image/png", size: 1, contentId: "l" },
  ]);
  const path = `emails/${message.id}/attachments`;
  const { headers, body } = await server.call("GET", `/api/v2/${path}/1`);
  assert.equal(body, "%PDF");
  assert.equal(headers["content-type"], "application/pdf");
  assert.match(String(headers["content-disposition"]), /^attachment; /);
  assert.equal(headers["x-content-type-options"], "nosniff");
  const missing = await server.call("GET", `/api/v2/${path}/3`);
  assert.deepEqual(
    [missing.status, missing.body.code],
    [404, "ATTACHMENT_NOT_FOUND"],
  );
});

test("a bulk stores one for each, in order, nobody twice; or none", async () => {
  await using server = await startTestServer();
  const to = ["+420777000001", "+420777000002", "+420777000001"];
  const bulk = await post(server, "sms/bulk", { text: "hi", to, tag: "b" });
  assert.deepEqual(
    bulk.messages.map((it: Body) => [it.to, it.state]),
    [
      ["+420777000001", "waiting"],
      ["+420777000002", "waiting"],
    ],
  );
  const ids = bulk.messages.map(({ id }: Body) => id);
  assert.deepEqual(
    (await idsOf(server, "sms?tag=b")).toSorted(),
    ids.toSorted(),
  );
  const one = await get(server, `sms/${ids[1]}`);
  assert.deepEqual([one.to, one.text], ["+420777000002", "hi"]);
});

test("lists are narrowed down by all that is known of a message", async () => {
  await using server = await startTestServer();
  const first = await post(server, "sms", {
    ...text,
    tag: "a",
    relatedObjects: [user, { type: "order", id: "x" }],
  });
  await server.clock.advanceSettled(1000);
  const second = await post(server, "sms", {
    to: "+420777000002",
    text: "x".repeat(200),
    tag: "b",
    relatedObjects: [user],
    notBefore: "2026-01-02T00:00:00Z",
  });
  const both = [second.id, first.id];
  for (const [query, expected] of [
    ["", both],
    ["?tag=a", [first.id]],
    ["?tag=c", []],
    [`?to=${encodeURIComponent(phone)}`, [first.id]],
    ["?relatedObjectType=user&relatedObjectId=7", both],
    [
      "?relatedObjectType=user&relatedObjectId=7&relatedObjectType=order&relatedObjectId=x",
      [first.id],
    ],
    ["?state=waiting", [second.id]],
    ["?state=WAITING", [second.id]],
    ["?state=delivered", [first.id]],
    ["?state=DELIVERED&tag=a", [first.id]],
    ["?state=ERROR", []],
    ["?since=2026-01-01T00:00:00.500Z", [second.id]],
    ["?until=2026-01-01T00:00:00.500Z", [first.id]],
    ["?template=t", []],
  ] as const) {
    assert.deepEqual(await idsOf(server, `sms${query}`), expected, query);
  }
  assert.deepEqual(await idsOf(server, "emails"), []);
  const { messages, next } = await get(server, "sms?limit=1");
  assert.deepEqual(
    [messages[0].id, messages[0].excerpt.length],
    [second.id, 160],
  );
  assert.equal(messages[0].delivery, undefined);
  const rest = await get(server, `sms?limit=1&before=${next}`);
  assert.deepEqual([rest.messages[0].id, rest.next], [first.id, undefined]);
});

test("what has not begun is cancelled, and what failed is sent again", async () => {
  await using server = await startTestServer({
    result: { outcome: "rejected", errorClass: "provider", error: "no" },
  });
  const later = await post(server, "sms", {
    ...text,
    notBefore: "2026-01-02T00:00:00Z",
  });
  // A message that is held has no deliveries before its time.
  const failed = await post(server, "sms", text);
  await server.clock.advanceSettled(100);
  const rejected = await get(server, `sms/${failed.id}`);
  assert.deepEqual(
    [rejected.state, rejected.isFinal, rejected.isFailure],
    ["rejected", true, true],
  );
  const tooLate = await server.call(
    "POST",
    `/api/v2/sms/${failed.id}/cancel`,
    {},
  );
  assert.deepEqual(
    [tooLate.status, tooLate.body.code],
    [409, "DELIVERY_STATE_CONFLICT"],
  );
  const again = await post(server, `sms/${failed.id}/retry`, { reason: "x" });
  assert.equal(again.delivery.actions.at(-1).reason, "x");
  await server.clock.advanceSettled(100);
  assert.equal((await get(server, `sms/${failed.id}`)).attempts, 2);
  const cancelled = await post(server, `sms/${later.id}/cancel`);
  assert.deepEqual(
    [cancelled.state, cancelled.pymessState.name],
    ["cancelled", "ERROR"],
  );
  const { body } = await server.call("GET", "/api/v2/audit?limit=10");
  const actions = body.entries.map(({ action }: Body) => action);
  assert.ok(actions.includes("delivery.resend"), String(actions));
  assert.ok(actions.includes("delivery.cancel"), String(actions));
});

test("what it is about is added to, and replaced", async () => {
  await using server = await startTestServer();
  const { id } = await post(server, "sms", { ...text, relatedObjects: [user] });
  const path = `/api/v2/sms/${id}/related-objects`;
  const keysOf = ({ body }: Body) =>
    body.relatedObjects.map((it: Body) => `${it.type}=${it.id}`).toSorted();
  const order = { type: "order", id: "x" };
  for (const [method, body, expected] of [
    ["POST", { relatedObjects: [order, user] }, ["order=x", "user=7"]],
    ["GET", undefined, ["order=x", "user=7"]],
    [
      "PUT",
      { type: "order", relatedObjects: [{ type: "order", id: 1 }] },
      ["order=1", "user=7"],
    ],
    ["PUT", { relatedObjects: [order] }, ["order=x"]],
    ["PUT", { relatedObjects: [] }, []],
  ] as const) {
    assert.deepEqual(keysOf(await server.call(method, path, body)), expected);
  }
  const misfit = { type: "order", relatedObjects: [user] };
  const refused = await server.call("PUT", path, misfit);
  assert.deepEqual(
    [refused.status, refused.body.code],
    [400, "MESSAGE_OPTION_INVALID"],
  );
});

test("a template that was never sent was not", async () => {
  await using server = await startTestServer();
  const query = "template=t&relatedObjectType=user&relatedObjectId=7";
  assert.deepEqual(await get(server, `emails/was-sent?${query}`), {
    wasSent: false,
  });
});

test("a request with an idempotency key sends once", async () => {
  await using server = await startTestServer();
  const send = (path: string, body: object) =>
    server.app.inject({
      method: "POST",
      url: `/api/v2/${path}`,
      headers: {
        authorization: server.authorization,
        "content-type": "application/json",
        "idempotency-key": "k",
      },
      payload: JSON.stringify(body),
    });
  const [first, again] = [await send("sms", text), await send("sms", text)];
  assert.equal(first.statusCode, 201);
  assert.equal(again.statusCode, 201);
  assert.equal(first.headers["idempotency-replayed"], undefined);
  assert.equal(again.headers["idempotency-replayed"], "true");
  assert.equal(again.json().id, first.json().id);
  assert.equal((await idsOf(server, "sms")).length, 1);
  // The same body, and something else that is asked for.
  const other = await send("sms/bulk", { ...text, to: [text.to] });
  assert.equal(other.json().code, "IDEMPOTENCY_KEY_REUSED");
});

test("texts and mails of another project are not there", async () => {
  await using server = await startTestServer();
  const { id } = await post(server, "sms", text);
  const project = "c".repeat(32) as never;
  const { domainId } = server;
  await server.store.putProject({ id: project, name: "other", domainId });
  const admin = await server.store.findUserByName(domainId, "admin");
  const token = await server.identity.tokens.issue({
    userId: admin?.id ?? "",
    projectId: project,
    methods: ["token"],
  });
  for (const [method, path] of [
    ["GET", ""],
    ["GET", "/related-objects"],
    ["POST", "/cancel"],
    ["POST", "/retry"],
  ] as const) {
    const { statusCode } = await server.app.inject({
      method,
      url: `/api/v2/sms/${id}${path}`,
      headers: { "x-auth-token": token },
    });
    assert.equal(statusCode, 404, path);
  }
  const list = await server.app.inject({
    url: "/api/v2/sms",
    headers: { "x-auth-token": token },
  });
  assert.deepEqual(list.json(), { messages: [] });
  // Nor is a text a mail, nor are they anybody's.
  assert.equal((await server.call("GET", `/api/v2/emails/${id}`)).status, 404);
  assert.equal(
    (await server.app.inject({ url: `/api/v2/sms/${id}` })).statusCode,
    401,
  );
});
