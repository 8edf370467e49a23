import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "@carillon/core";
import {
  startTestServer,
  type TestServer,
} from "../../test-support/test-server.ts";

interface Line {
  readonly level: string;
  readonly fields: LogFields;
}

async function setUp() {
  const lines: Line[] = [];
  const server = await startTestServer({
    onLine: (event, fields, level) => {
      if (event === "request") lines.push({ level, fields: { ...fields } });
    },
  });
  return { server, lines };
}

const publishTo = ({ base, topicUrn }: TestServer) =>
  `${base}/topics/${topicUrn("a")}/publish`;

test("changes and failures are at info; reads and what is frequent at debug", async () => {
  const { server, lines } = await setUp();
  await using _ = server;
  const { base, call } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  await call("GET", `${base}/topics`);
  await call("POST", publishTo(server), { message: "m" });
  await call("POST", `${base}/sms`, { endpoint: "+491700000", message: "m" });
  await call("POST", publishTo(server), {});
  await server.app.inject({ url: "/healthz" });
  await server.app.inject({ url: "/metrics" });
  await server.app.inject({ method: "PUT", url: "/nowhere/secret" });
  assert.deepEqual(
    lines.map(({ level, fields: { method, route, status, code } }) =>
      [level, method, route, status, code].join(" "),
    ),
    [
      "info POST /v2/:project_id/notifications/topics 201 ",
      "debug GET /v2/:project_id/notifications/topics 200 ",
      "debug POST /v2/:project_id/notifications/topics/:topic_urn/publish 200 ",
      "debug POST /v2/:project_id/notifications/sms 200 ",
      "info POST /v2/:project_id/notifications/topics/:topic_urn/publish 403 MESSAGE_INVALID",
      "debug GET /healthz 200 ",
      "debug GET /metrics 200 ",
      "info PUT  404 ROUTE_NOT_FOUND",
    ],
  );
});

test("says who asked for what from where, how long it took, and no query", async () => {
  const { server, lines } = await setUp();
  await using _ = server;
  const path = `/api/v2/opt-outs/%2B491701234567`;
  const answer = await server.app.inject({
    method: "DELETE",
    url: `${path}?x=secret`,
    remoteAddress: "203.0.113.7",
    headers: { authorization: server.authorization },
  });
  const { durationMs, userId, ...fields } = lines[0]?.fields ?? {};
  assert.equal(typeof durationMs, "number");
  assert.match(String(userId), /^[0-9a-f]{32}$/);
  assert.deepEqual(fields, {
    requestId: answer.headers["x-request-id"],
    method: "DELETE",
    route: "/api/v2/opt-outs/:recipient",
    path: "/api/v2/opt-outs/***",
    status: answer.statusCode,
    code: answer.json().code,
    accountId: undefined,
    projectId: server.credentials.project.id,
    address: "203.0.113.7",
  });
});

test("a flood of failures fills a few lines, with their number", async () => {
  const { server, lines } = await setUp();
  await using _ = server;
  for (let n = 0; n < 500; n++) {
    await server.app.inject({ url: `${server.base}/topics` });
  }
  assert.equal(lines.length, 20);
  await server.clock.advanceSettled(10_000);
  assert.equal(lines.length, 21);
  assert.equal(lines[20]?.fields.omitted, 479);
});

test("what was counted is written when the server closes", async () => {
  const { server, lines } = await setUp();
  for (let n = 0; n < 25; n++) {
    await server.app.inject({ url: `${server.base}/topics` });
  }
  await server[Symbol.asyncDispose]();
  assert.equal(lines.at(-1)?.fields.omitted, 4);
});
