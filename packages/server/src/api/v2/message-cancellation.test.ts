/** Cancelling a whole message over our own API. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
  tokenIn,
} from "../../../test-support/test-server.ts";

const url = "/api/v2/messages";

async function topicWithSubscriber(server: TestServer): Promise<string> {
  await server.call("POST", `${server.base}/topics`, { name: "orders" });
  const topicUrn = server.topicUrn("orders");
  await server.call("POST", `/api/v2/topics/${topicUrn}/subscriptions`, {
    protocol: "https",
    endpoint: "https://example.com/hook",
  });
  await server.clock.advanceSettled(0);
  const token = tokenIn(server.sent.at(-1)?.message.content);
  const path = `/smn/subscription/confirm?token=${token}`;
  await server.app.inject({ method: "GET", url: path });
  return topicUrn;
}

async function publishLater(server: TestServer, topicUrn: string) {
  const at = new Date(server.clock.now() + 3_600_000).toISOString();
  const { status, body } = await server.call("POST", url, {
    audience: { kind: "topic", topicUrn },
    text: "It was shipped.",
    notBefore: at,
  });
  assert.equal(status, 201);
  return { id: body.id as string, at };
}

test("a message that is to go later is cancelled, with who and why", async () => {
  await using server = await startTestServer();
  const { id, at } = await publishLater(
    server,
    await topicWithSubscriber(server),
  );
  const before = await server.call("GET", `${url}/${id}`);
  assert.equal(before.body.notBefore, at);
  assert.equal(before.body.fannedOut, false);

  const reason = "published by mistake";
  const { status, body } = await server.call("POST", `${url}/${id}/cancel`, {
    reason,
  });
  assert.equal(status, 200);
  assert.equal(body.cancelled.reason, reason);
  assert.equal(body.cancelled.userName, "admin");
  const { body: shown } = await server.call("GET", `${url}/${id}`);
  assert.deepEqual(shown.cancelled, body.cancelled);
  assert.equal(shown.notBefore, at);
  assert.deepEqual(shown.counts, {});
  const { body: job } = await server.call(
    "GET",
    `/api/v2/delivery-jobs/${body.cancelled.jobId}`,
  );
  assert.equal(job.messages, 1);
  const { body: audit } = await server.call("GET", "/api/v2/audit");
  assert.equal(audit.entries[0].action, "message.cancel");

  const again = await server.call("POST", `${url}/${id}/cancel`);
  assert.equal(again.status, 409);
  assert.equal(again.body.code, "MESSAGE_STATE_CONFLICT");
  assert.match(again.body.detail, /cancelled by admin at/);
});

test("of two operators at once one cancels, and the other is told who did", async () => {
  await using server = await startTestServer();
  const { id } = await publishLater(server, await topicWithSubscriber(server));
  const answers = await Promise.all([
    server.call("POST", `${url}/${id}/cancel`),
    server.call("POST", `${url}/${id}/cancel`),
  ]);
  const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
  assert.deepEqual([won?.status, lost?.status], [200, 409]);
  assert.match(lost?.body.detail, /cancelled by admin at/);
  const { body } = await server.call("GET", "/api/v2/delivery-jobs");
  assert.deepEqual(
    body.jobs.map((it: { id: string }) => it.id),
    [won?.body.cancelled.jobId],
  );
});

test("a job for a message that its other filters leave out does not cancel it", async () => {
  await using server = await startTestServer();
  const { id } = await publishLater(server, await topicWithSubscriber(server));
  await server.call("POST", `${server.base}/topics`, { name: "other" });
  const filter = { messageId: id, topicUrn: server.topicUrn("other") };
  const job = { action: "cancel", filter, reason: "by mistake" };
  const { body } = await server.call("POST", "/api/v2/delivery-jobs", job);
  await server.clock.advanceSettled(5000);
  const ended = await server.call("GET", `/api/v2/delivery-jobs/${body.id}`);
  assert.deepEqual([ended.body.state, ended.body.messages], ["done", 0]);
  const { body: shown } = await server.call("GET", `${url}/${id}`);
  assert.equal("cancelled" in shown, false);
  assert.equal(shown.fannedOut, false);
});

test("a cancellation needs no body; a message with nothing left refuses it", async () => {
  await using server = await startTestServer();
  const { id } = await publishLater(server, await topicWithSubscriber(server));
  const { status, body } = await server.call("POST", `${url}/${id}/cancel`);
  assert.equal(status, 200);
  assert.equal("reason" in body.cancelled, false);
  const absent = await server.call("POST", `${url}/${"0".repeat(32)}/cancel`);
  assert.equal(absent.body.code, "MESSAGE_NOT_FOUND");
  await server.call("POST", `${server.base}/topics`, { name: "empty" });
  const { body: toNobody } = await server.call("POST", url, {
    audience: { kind: "topic", topicUrn: server.topicUrn("empty") },
    text: "x",
  });
  const nothing = await server.call("POST", `${url}/${toNobody.id}/cancel`);
  assert.equal(nothing.status, 409);
  assert.match(nothing.body.detail, /nothing to cancel/);
});

test("a preview of a cancellation counts what is not fanned out", async () => {
  await using server = await startTestServer();
  const topicUrn = await topicWithSubscriber(server);
  await publishLater(server, topicUrn);
  const preview = async (body: object) =>
    (await server.call("POST", "/api/v2/delivery-jobs/preview", body)).body;
  assert.deepEqual(await preview({ action: "cancel", filter: { topicUrn } }), {
    count: 0,
    isExact: true,
    messages: 1,
  });
  const { messages } = await preview({
    action: "cancel",
    filter: { topicUrn, protocol: "https" },
  });
  assert.equal(messages, 0);
  const resend = await preview({ action: "resend", filter: { topicUrn } });
  assert.equal(resend.messages, 0);
});
