import assert from "node:assert/strict";
import { test } from "node:test";
import { createSafePath, createUnknownPath } from "./safe-path.ts";

for (const [route, url, shown] of [
  ["/healthz", "/healthz?token=s3cret", "/healthz"],
  ["/c/:token", "/c/0123abcd", "/c/***"],
  ["/u/:token", "/u/0123abcd/", "/u/***/"],
  [
    "/receivers/:secret/esendex/im",
    "/receivers/s/esendex/im?a=b",
    "/receivers/***/esendex/im",
  ],
  [
    "/api/v2/opt-outs/:recipient",
    "/api/v2/opt-outs/%2B491701234567",
    "/api/v2/opt-outs/***",
  ],
  [
    "/v2/:project_id/topics/:topic_urn",
    "/v2/0f3c/topics/urn:smn:local:0f3c:t",
    "/v2/0f3c/topics/urn:smn:local:0f3c:t",
  ],
  // Names of things, where a client put something else.
  [
    "/api/v2/messages/:messageId",
    "/api/v2/messages/+491701234567",
    "/api/v2/messages/***",
  ],
  [
    "/api/v2/messages/:messageId",
    "/api/v2/messages/491701234567",
    "/api/v2/messages/***",
  ],
  [
    "/api/v2/messages/:messageId",
    "/api/v2/messages/a@example.com",
    "/api/v2/messages/***",
  ],
  [
    "/api/v2/messages/:messageId",
    "/api/v2/messages/a%40example.com",
    "/api/v2/messages/***",
  ],
  ["/files/*", "/files/a/b", "/files/*"],
] as const) {
  test(`${route} is shown as ${shown}`, () => {
    assert.equal(createSafePath(route)(url), shown);
  });
}

test("of what leads nowhere only known words are shown", () => {
  const show = createUnknownPath(new Set(["api", "v2", "c"]));
  assert.equal(show("/api/v2/c/secret?x=1"), "/api/v2/c/***");
  assert.equal(show("/C/0123"), "/***/***");
  assert.ok(show(`/${"c/".repeat(9000)}`).length <= 512);
});

test("a colon that is part of a path is no parameter", () => {
  const path = createSafePath("/subscriptions/:mailbox/messages::ack");
  assert.equal(
    path("/subscriptions/device/messages:ack?x=1"),
    "/subscriptions/device/messages:ack",
  );
  assert.equal(
    path("/subscriptions/ann@example.com/messages:ack"),
    "/subscriptions/***/messages:ack",
  );
});
