/** What a stream of events refuses to be opened for. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

test("filters that nothing can pass are refused", async () => {
  await using server = await startTestServer();
  const absent = server.topicUrn("absent");
  for (const [query, status, code] of [
    ["topic=absent", 404, "TOPIC_NOT_FOUND"],
    [`topic=${absent}`, 404, "TOPIC_NOT_FOUND"],
    ["topic=urn:smn:nonsense", 400, "TOPIC_URN_INVALID"],
    ["topic=no%20name", 400, "TOPIC_NAME_INVALID"],
    ["topic=", 400, "TOPIC_NAME_INVALID"],
    ["message=zzz", 400, "REQUEST_INVALID"],
    ["message=", 400, "REQUEST_INVALID"],
    [`message=${"0".repeat(32)}`, 404, "MESSAGE_NOT_FOUND"],
    ["event=delivery.failed", 400, "REQUEST_INVALID"],
  ] as const) {
    const answer = await server.call("GET", `/api/v2/events?${query}`);
    assert.deepEqual([answer.status, answer.body.code], [status, code], query);
  }
});

test("a topic that was deleted, and any message, can be listened to", async () => {
  await using server = await startTestServer();
  await server.call("POST", `${server.base}/topics`, { name: "orders" });
  const { body } = await server.call("POST", "/api/v2/messages", {
    audience: { kind: "topic", topicUrn: server.topicUrn("orders") },
    text: "x",
  });
  const deleted = await server.call(
    "DELETE",
    `${server.base}/topics/${server.topicUrn("orders")}`,
  );
  assert.equal(deleted.status, 200);
  const url = `http://127.0.0.1:${await server.listen()}/api/v2/events`;
  for (const query of [
    "topic=orders",
    `topic=${server.topicUrn("orders")}`,
    `message=${body.id}`,
  ]) {
    const response = await fetch(`${url}?${query}`, {
      headers: { authorization: server.authorization },
    });
    assert.equal(response.status, 200, query);
    await response.body?.cancel();
  }
});
