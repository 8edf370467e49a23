import assert from "node:assert/strict";
import { test } from "node:test";
import { ResourceNotFoundError } from "../errors.ts";
import { refusal } from "../testing/serve.ts";
import {
  filters,
  outline,
  projectId,
  serveSmn,
  topicUrn,
} from "../testing/smn.ts";
import { subscriptionStatus } from "./subscriptions.ts";

const subscriptionUrn = `${topicUrn}:0123456789abcdef0123456789abcdef`;

const wireSubscription = {
  topic_urn: topicUrn,
  protocol: "https",
  subscription_urn: subscriptionUrn,
  owner: projectId,
  endpoint: "https://a.example/hook",
  remark: "",
  status: 1,
  filter_polices: [{ name: "level", string_equals: ["high", "low"] }],
};

const subscription = {
  topicUrn,
  protocol: "https",
  subscriptionUrn,
  owner: projectId,
  endpoint: "https://a.example/hook",
  remark: "",
  status: subscriptionStatus.confirmed,
  filterPolicies: [{ name: "level", stringEquals: ["high", "low"] }],
};

const list = { subscription_count: 1, subscriptions: [wireSubscription] };

test("confirms with a token, below no project", async () => {
  await using server = await serveSmn(() => ({
    body: { request_id: "r", subscription_urn: subscriptionUrn },
  }));
  assert.deepEqual(await server.smn.confirmSubscription("a token"), {
    subscriptionUrn,
    requestId: "r",
  });
  const [request] = server.requests;
  assert.equal(request?.path, "/rest/v2/notifications/subscription/confirm");
  assert.equal(request?.query.get("token"), "a token");
});

test("subscribes an endpoint to a topic", async () => {
  await using server = await serveSmn(() => ({
    status: 201,
    body: { request_id: "r", subscription_urn: subscriptionUrn },
  }));
  const wanted = {
    protocol: "https",
    endpoint: "https://a.example/hook",
    remark: "mine",
    extension: { header: { "x-team": "blue" } },
  };
  const created = await server.smn.createSubscription(topicUrn, wanted);
  assert.deepEqual(created, {
    subscriptionUrn,
    topicUrn,
    protocol: "https",
    endpoint: "https://a.example/hook",
    requestId: "r",
  });
  assert.deepEqual(outline(server.requests[0]), [
    "POST",
    `topics/${topicUrn}/subscriptions`,
    wanted,
  ]);
});

test("takes the topic's name too", async () => {
  await using server = await serveSmn(({ method, path }) => {
    if (method === "POST") {
      return { body: { subscription_urn: subscriptionUrn } };
    }
    return path.endsWith("/topics")
      ? { body: { topics: [{ topic_urn: topicUrn, name: "alerts" }] } }
      : { body: list };
  });
  const endpoint = "https://a.example/hook";
  await server.smn.createSubscription("alerts", {
    protocol: "https",
    endpoint,
  });
  await Array.fromAsync(server.smn.subscriptions("alerts"));
  assert.deepEqual(
    server.requests.map((request) => outline(request)?.slice(0, 2)),
    [
      ["GET", "topics"],
      ["POST", `topics/${topicUrn}/subscriptions`],
      ["GET", "topics"],
      ["GET", `topics/${topicUrn}/subscriptions`],
    ],
  );
});

test("says when there is no topic of the name", async () => {
  await using server = await serveSmn(() => ({
    body: { topic_count: 0, topics: [] },
  }));
  const wanted = { protocol: "email", endpoint: "a@example.test" };
  await assert.rejects(
    server.smn.createSubscription("alerts", wanted),
    ResourceNotFoundError,
  );
});

test("lists the subscriptions of the project and of a topic", async () => {
  await using server = await serveSmn(() => ({ body: list }));
  const { smn } = server;
  assert.deepEqual(await Array.fromAsync(smn.subscriptions()), [subscription]);
  const ofTopic = smn.subscriptions({ topicUrn }, { fuzzyRemark: "m" });
  assert.deepEqual(await Array.fromAsync(ofTopic), [subscription]);
  assert.deepEqual(
    server.requests.map((request) => outline(request)?.[1]),
    ["subscriptions", `topics/${topicUrn}/subscriptions`],
  );
  assert.deepEqual(filters(server.requests[1]), { fuzzy_remark: "m" });
});

test("passes filters on", async () => {
  await using server = await serveSmn(() => ({ body: list }));
  const query = { protocol: "sms", status: 0, endpoint: "+4915112345678" };
  await Array.fromAsync(server.smn.subscriptions(undefined, query));
  assert.deepEqual(filters(server.requests[0]), {
    protocol: "sms",
    status: "0",
    endpoint: "+4915112345678",
  });
});

test("copes with what other services leave out", async () => {
  await using server = await serveSmn(() => ({
    body: {
      subscriptions: [
        { subscription_urn: subscriptionUrn, protocol: "sms", remark: null },
      ],
    },
  }));
  const [found] = await Array.fromAsync(server.smn.subscriptions());
  assert.equal(found?.topicUrn, topicUrn);
  assert.equal(found?.remark, "");
  assert.deepEqual(found?.filterPolicies, []);
});

test("deletes a subscription, and one that is gone", async () => {
  await using server = await serveSmn(() => refusal(404, "SMN.0013"));
  await server.smn.deleteSubscription(subscription);
  assert.deepEqual(outline(server.requests[0]), [
    "DELETE",
    `subscriptions/${subscriptionUrn}`,
    undefined,
  ]);
  await assert.rejects(
    server.smn.deleteSubscription(subscriptionUrn, { ignoreMissing: false }),
    ResourceNotFoundError,
  );
});
