import assert from "node:assert/strict";
import { test } from "node:test";
import {
  InvalidOptionsError,
  ResourceNotFoundError,
  ResponseError,
} from "../errors.ts";
import { refusal } from "../testing/serve.ts";
import {
  filters,
  outline,
  projectId,
  serveSmn,
  topicUrn,
} from "../testing/smn.ts";

const wireTopic = {
  topic_urn: topicUrn,
  name: "alerts",
  display_name: "Alerts",
  push_policy: 0,
  enterprise_project_id: "0",
  topic_id: "c0ffee00112233445566778899aabbcc",
  create_time: "2026-01-15T08:00:00Z",
  update_time: "2026-01-15T08:00:00Z",
};

const topic = {
  topicUrn,
  name: "alerts",
  displayName: "Alerts",
  pushPolicy: 0,
  enterpriseProjectId: "0",
  topicId: "c0ffee00112233445566778899aabbcc",
  createTime: "2026-01-15T08:00:00Z",
  updateTime: "2026-01-15T08:00:00Z",
};

const missing = refusal(404, "SMN.0006", "Topic not found");

function listOf(...topics: unknown[]) {
  return { body: { request_id: "r", topic_count: topics.length, topics } };
}

test("creates a topic", async () => {
  await using server = await serveSmn(() => ({
    status: 201,
    body: { request_id: "r", topic_urn: topicUrn },
  }));
  const created = await server.smn.createTopic({
    name: "alerts",
    displayName: "Alerts",
  });
  assert.deepEqual(created, { topicUrn, name: "alerts", requestId: "r" });
  assert.deepEqual(outline(server.requests[0]), [
    "POST",
    "topics",
    { name: "alerts", display_name: "Alerts" },
  ]);
});

test("creating is tried again: the same name leads to the same topic", async () => {
  let attempts = 0;
  await using server = await serveSmn(() =>
    ++attempts === 1 ? "drop" : { body: { topic_urn: topicUrn } },
  );
  await server.smn.createTopic({ name: "alerts" });
  assert.equal(server.requests.length, 2);
});

test("gets a topic by URN or by having it", async () => {
  await using server = await serveSmn(() => ({ body: wireTopic }));
  assert.deepEqual(await server.smn.getTopic(topicUrn), topic);
  assert.deepEqual(await server.smn.getTopic(topic), topic);
  for (const request of server.requests) {
    assert.deepEqual(outline(request), [
      "GET",
      `topics/${topicUrn}`,
      undefined,
    ]);
  }
});

test("updates the display name", async () => {
  await using server = await serveSmn(() => ({ body: { request_id: "r" } }));
  const updated = await server.smn.updateTopic(topic, { displayName: "Ü" });
  assert.deepEqual(updated, { topicUrn, displayName: "Ü", requestId: "r" });
  assert.deepEqual(outline(server.requests[0]), [
    "PUT",
    `topics/${topicUrn}`,
    { display_name: "Ü" },
  ]);
});

test("deletes a topic, and one that is gone", async () => {
  await using server = await serveSmn(() => missing);
  assert.equal(await server.smn.deleteTopic(topicUrn), undefined);
  assert.deepEqual(outline(server.requests[0]), [
    "DELETE",
    `topics/${topicUrn}`,
    undefined,
  ]);
});

test("rejects when a topic is gone if asked to", async () => {
  await using server = await serveSmn(() => missing);
  await assert.rejects(
    server.smn.deleteTopic(topicUrn, { ignoreMissing: false }),
    ResourceNotFoundError,
  );
});

test("does not take a wrong endpoint for a topic that is gone", async () => {
  await using server = await serveSmn(() => refusal(404, "APIGW.0101"));
  await assert.rejects(server.smn.deleteTopic(topicUrn), {
    constructor: ResponseError,
    status: 404,
    code: "REQUEST_REFUSED",
  });
});

test("never takes no topic for all topics", async () => {
  await using server = await serveSmn(() => ({ body: {} }));
  for (const nothing of ["", ".", ".."]) {
    await assert.rejects(server.smn.deleteTopic(nothing), InvalidOptionsError);
  }
  assert.equal(server.requests.length, 0);
});

test("names lead to no other path", async () => {
  await using server = await serveSmn(() => missing);
  await server.smn.deleteTopic("urn:smn:a/../b?c#d%2f");
  assert.deepEqual(outline(server.requests[0]), [
    "DELETE",
    "topics/urn:smn:a%2F..%2Fb%3Fc%23d%252f",
    undefined,
  ]);
});

test("lists topics page by page", async () => {
  const topics = Array.from({ length: 5 }, (_, i) => ({
    ...wireTopic,
    topic_urn: `${topicUrn}${i}`,
  }));
  await using server = await serveSmn(({ query }) => {
    const start = Number(query.get("offset"));
    const end = start + Number(query.get("limit"));
    return {
      body: { topic_count: 5, topics: topics.slice(start, end) },
    };
  });
  const listed = await Array.fromAsync(server.smn.topics({ limit: 2 }));
  assert.deepEqual(
    listed.map((each) => each.topicUrn),
    topics.map((each) => each.topic_urn),
  );
  assert.deepEqual(
    server.requests.map(({ query }) => query.toString()),
    [
      "limit=2&offset=0",
      `limit=2&offset=2&marker=${encodeURIComponent(`${topicUrn}1`)}`,
      `limit=2&offset=4&marker=${encodeURIComponent(`${topicUrn}3`)}`,
    ],
  );
});

test("passes filters on", async () => {
  await using server = await serveSmn(() => listOf());
  const query = {
    topicId: "i",
    name: "n",
    fuzzyName: "f n",
    fuzzyDisplayName: "f d",
    enterpriseProjectId: "0",
  };
  await Array.fromAsync(server.smn.topics(query));
  assert.deepEqual(filters(server.requests[0]), {
    topic_id: "i",
    name: "n",
    fuzzy_name: "f n",
    fuzzy_display_name: "f d",
    enterprise_project_id: "0",
  });
});

test("finds a topic by name, also if the service ignores the filter", async () => {
  const other = { ...wireTopic, topic_urn: `${topicUrn}2`, name: "alerts2" };
  await using server = await serveSmn(() => listOf(other, wireTopic));
  assert.deepEqual(await server.smn.findTopic("alerts"), topic);
  assert.deepEqual(filters(server.requests[0]), { name: "alerts" });
});

test("finds a topic by URN and by topic id", async () => {
  await using server = await serveSmn(({ path }) =>
    path.endsWith("/topics") ? listOf(wireTopic) : { body: wireTopic },
  );
  assert.deepEqual(await server.smn.findTopic(topicUrn), topic);
  assert.deepEqual(await server.smn.findTopic(topic.topicId), topic);
  assert.deepEqual(filters(server.requests[1]), { topic_id: topic.topicId });
});

test("finding nothing rejects unless that is turned off", async () => {
  await using server = await serveSmn(({ path }) =>
    path.endsWith("/topics") ? listOf() : refusal(400, "SMN.0005"),
  );
  for (const nothing of ["alerts", "urn:smn:wrong", projectId]) {
    await assert.rejects(server.smn.findTopic(nothing), ResourceNotFoundError);
    const found = await server.smn.findTopic(nothing, { ignoreMissing: true });
    assert.equal(found, undefined);
  }
});
