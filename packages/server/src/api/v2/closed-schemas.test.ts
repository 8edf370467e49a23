/** What our own API does not know, it refuses. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

const direct = {
  kind: "direct",
  recipients: [{ protocol: "sms", endpoint: "+4915112345678" }],
};

test("what a body has too much is named, and nothing is done", async () => {
  await using server = await startTestServer();
  for (const [path, body, member, known] of [
    [
      "delivery-jobs",
      { action: "cancel", filter: { topic: "a" }, reason: "r" },
      "filter has no member topic",
      "topicUrn",
    ],
    [
      "delivery-jobs/preview",
      { action: "cancel", filter: { topic: "a" } },
      "filter has no member topic",
      "topicUrn",
    ],
    [
      "messages",
      { audience: direct, text: "x", not_before: "2026-01-31T08:30:00Z" },
      "The body has no member not_before",
      "notBefore",
    ],
    [
      "messages",
      { audience: { ...direct, topic: "a" }, text: "x" },
      "audience has no member topic",
      "topicUrn",
    ],
    [
      "messages",
      {
        audience: {
          ...direct,
          recipients: [{ ...direct.recipients[0], name: "x" }],
        },
        text: "x",
      },
      "audience.recipients.0 has no member name",
      "protocol",
    ],
    [
      "keys/absent/enable",
      { reason: "r" },
      "The body has no member reason",
      "takes none",
    ],
  ] as const) {
    const { status, body: problem } = await server.call(
      "POST",
      `/api/v2/${path}`,
      body,
    );
    assert.equal(status, 400, path);
    assert.equal(problem.code, "REQUEST_INVALID");
    assert.ok(problem.detail.startsWith(`${member};`), problem.detail);
    assert.ok(problem.detail.includes(known), problem.detail);
  }
  const { body: messages } = await server.call("GET", "/api/v2/messages");
  assert.deepEqual(messages.messages, []);
  const { body: jobs } = await server.call("GET", "/api/v2/delivery-jobs");
  assert.deepEqual(jobs.jobs, []);
});

test("a route without a body takes none, null and an empty object", async () => {
  await using server = await startTestServer();
  const rotate = async (payload?: string) => {
    const response = await server.app.inject({
      method: "POST",
      url: "/api/v2/signing-keys/rotate",
      headers: {
        authorization: server.authorization,
        ...(payload !== undefined && { "content-type": "application/json" }),
      },
      ...(payload !== undefined && { payload }),
    });
    return { status: response.statusCode, body: response.json() };
  };
  const keys = async () =>
    (await server.call("GET", "/api/v2/signing-keys")).body;
  const before = await keys();
  for (const payload of ["[]", "[1]", '"x"', '""', "5", "0", "true", "false"]) {
    const { status, body } = await rotate(payload);
    assert.deepEqual([status, body.code], [400, "REQUEST_INVALID"], payload);
    assert.match(body.detail, /no object; this route takes no body/);
  }
  assert.deepEqual(await keys(), before);
  for (const payload of [undefined, "null", "{}"]) {
    const { status } = await rotate(payload);
    assert.ok(status < 300, `${payload}: ${status}`);
  }
});

test("free data is the publisher's own", async () => {
  await using server = await startTestServer();
  const { status } = await server.call("POST", "/api/v2/messages", {
    audience: direct,
    variants: { default: "a", sms: "b" },
    extraData: { any: { thing: [1] } },
  });
  assert.equal(status, 201);
});

test("each route refuses query parameters that it does not know", async () => {
  await using server = await startTestServer();
  let asked = 0;
  for (const { method, url, schema } of server.routes) {
    if (!url.startsWith("/api/v2/")) continue;
    const query = schema?.querystring as { additionalProperties?: unknown };
    assert.equal(query.additionalProperties, false, url);
    const methods = [method].flat();
    // What others take has members that are needed.
    if (!methods.includes("GET")) continue;
    const path = url.replace(/:\w+/g, "4915112345678");
    const { status, body } = await server.call("GET", `${path}?bogus=1`);
    assert.equal(status, 400, url);
    if (!/ missing\b/.test(body.detail)) {
      assert.match(body.detail, /no query parameter bogus/, url);
    }
    asked++;
  }
  assert.ok(asked > 30, `${asked}`);
});

test("SMN's clients may send what it does not know", async () => {
  await using server = await startTestServer();
  const { status } = await server.call(
    "POST",
    `${server.base}/topics?bogus=1`,
    { name: "orders", bogus: 1 },
  );
  assert.equal(status, 201);
});
