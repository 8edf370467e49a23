/** Publishers, subscribers and mailboxes by the credentials of a project. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../connection.ts";
import { ResourceNotFoundError } from "../errors.ts";
import {
  type Answer,
  type ReceivedRequest,
  refusal,
  serve,
} from "../testing/serve.ts";
import { begin, serveMailbox, wireMessage } from "../testing/serve-mailbox.ts";

function carillonAt(endpoint: string) {
  const projectId = "0f3c5d1e2a4b46788899aabbccddeeff";
  const keys = { accessKey: "AK", secretKey: "SK", projectId };
  return connect({ endpoint, ...keys, retry: { maxRetries: 0 } }).carillon;
}

const told = ({ method, path, query, json }: ReceivedRequest) => [
  `${method} ${path.replace("/api/v2", "")}`,
  json ?? String(query),
];

const createdAt = "2026-12-24T08:00:00.000Z";
const weather = {
  name: "weather",
  id: "p1",
  topicName: "weather",
  disabled: false,
  createdAt,
};
const storm = {
  reference: "Storm & ice",
  topicName: "weather-storm",
  createdAt,
};
const display = {
  name: "display",
  id: "s1",
  hasSecret: true,
  disabled: false,
  quota: 100,
  depth: 3,
  legacyConfirm: "auto",
  createdAt,
};
const secret = "x".repeat(40);

test("manages publishers and their categories", async () => {
  const answer: Answer = ({ method, path, query }) => {
    if (method === "DELETE") return { status: 204 };
    if (path.endsWith("/messages")) {
      return { body: { id: "m1", passed: 2, failed: 1, total: 3 } };
    }
    if (path.endsWith("/categories")) {
      return { body: method === "GET" ? { categories: [storm] } : storm };
    }
    if (path.endsWith("/secret")) return { body: { ...weather, secret } };
    if (path !== "/api/v2/publishers") return { body: weather };
    if (method === "POST") return { status: 201, body: { ...weather, secret } };
    return {
      body: query.has("after")
        ? { publishers: [weather] }
        : { publishers: [weather], next: "weather" },
    };
  };
  await using server = await serve(answer);
  const { publishers } = carillonAt(server.url);
  const created = await publishers.create({ name: "weather" });
  assert.deepEqual(created, { ...weather, secret });
  const listed = await Array.fromAsync(publishers.list());
  assert.deepEqual(listed, [weather, weather]);
  assert.deepEqual(await publishers.get("weather"), weather);
  await publishers.change("weather", { disabled: true });
  assert.equal((await publishers.rotateSecret("weather")).secret, secret);
  const { reference } = storm;
  assert.deepEqual(
    await publishers.addCategory("weather", { reference }),
    storm,
  );
  assert.deepEqual(await publishers.categories("weather"), [storm]);
  await publishers.removeCategory("weather", reference);
  const message = { message: "x", categories: [reference], delayMs: 5 };
  assert.deepEqual(await publishers.publish("weather", message), {
    id: "m1",
    passed: 2,
    failed: 1,
    total: 3,
    isReplayed: false,
  });
  await publishers.delete("weather");
  assert.deepEqual(server.requests.map(told), [
    ["POST /publishers", { name: "weather" }],
    ["GET /publishers", "limit=100"],
    ["GET /publishers", "limit=100&after=weather"],
    ["GET /publishers/weather", ""],
    ["PATCH /publishers/weather", { disabled: true }],
    ["POST /publishers/weather/secret", ""],
    ["POST /publishers/weather/categories", { reference }],
    ["GET /publishers/weather/categories", ""],
    [
      "DELETE /publishers/weather/categories",
      String(new URLSearchParams({ reference })),
    ],
    ["POST /publishers/weather/messages", message],
    ["DELETE /publishers/weather", ""],
  ]);
});

test("manages subscribers and whom they follow", async () => {
  const counts = { waiting: 1, leased: 2, dead: 0 };
  const followed = { publisher: "weather", categories: ["storm"] };
  const answer: Answer = ({ method, path }) => {
    if (path.endsWith("/following")) return { body: { following: [followed] } };
    if (method === "DELETE") return { status: 204 };
    if (path.endsWith("/secret")) return { body: { ...display, secret } };
    if (path !== "/api/v2/subscribers") return { body: { ...display, counts } };
    if (method === "GET") return { body: { subscribers: [display] } };
    return { status: 201, body: { ...display, secret } };
  };
  await using server = await serve(answer);
  const { subscribers } = carillonAt(server.url);
  const settings = { quota: 100, legacyConfirm: "auto" } as const;
  await subscribers.create({ name: "display", ...settings });
  assert.deepEqual(await Array.fromAsync(subscribers.list()), [display]);
  assert.deepEqual((await subscribers.get("display")).counts, counts);
  await subscribers.change("display", settings);
  assert.equal((await subscribers.rotateSecret("display")).secret, secret);
  assert.deepEqual(await subscribers.follow("display", followed), [followed]);
  assert.deepEqual(await subscribers.following("display"), [followed]);
  const categories = ["storm", "ice"];
  await subscribers.unfollow("display", { publisher: "weather", categories });
  await subscribers.unfollow("display", { publisher: "weather" });
  await subscribers.delete("display");
  assert.deepEqual(server.requests.map(told), [
    ["POST /subscribers", { name: "display", ...settings }],
    ["GET /subscribers", "limit=100"],
    ["GET /subscribers/display", ""],
    ["PATCH /subscribers/display", settings],
    ["POST /subscribers/display/secret", ""],
    ["POST /subscribers/display/following", followed],
    ["GET /subscribers/display/following", ""],
    [
      "DELETE /subscribers/display/following",
      "publisher=weather&category=storm",
    ],
    ["DELETE /subscribers/display/following", "publisher=weather&category=ice"],
    ["DELETE /subscribers/display/following", "publisher=weather"],
    ["DELETE /subscribers/display", ""],
  ]);
});

test("deleting an account that is gone is fine, unless one cares", async () => {
  await using server = await serve(() => refusal(404, "PUBLISHER_NOT_FOUND"));
  const { publishers } = carillonAt(server.url);
  await publishers.delete("weather");
  await assert.rejects(
    publishers.delete("weather", { ignoreMissing: false }),
    ResourceNotFoundError,
  );
});

test("fetches from a mailbox with the project's credentials", async () => {
  await using server = await serve(({ method }) =>
    method === "GET"
      ? { body: JSON.stringify([wireMessage(1)]) }
      : { body: { acked: ["1.1.1"], stale: [] } },
  );
  const urn = "urn:smn:local:p:alerts:s1";
  const queue = carillonAt(server.url).pull(urn);
  const [message] = await queue.receive({ waitSeconds: 1 });
  assert.equal(await message?.ack(), true);
  assert.deepEqual(server.requests.map(told), [
    [`GET /subscriptions/${urn}/messages`, "wait=1"],
    [`POST /subscriptions/${urn}/messages:ack`, { leaseIds: ["1.1.1"] }],
  ]);
});

test("redrives many dead messages in requests of a hundred", async () => {
  await using server = await serve(() => ({ body: { redriven: 7 } }));
  const queue = carillonAt(server.url).pull("display");
  const ids = Array.from({ length: 101 }, (_, n) => `m${n}`);
  assert.equal(await queue.redrive(ids), 14);
  assert.equal(await queue.redrive(), 7);
  assert.deepEqual(server.requests[1]?.json, { ids: ["m100"] });
  assert.deepEqual(server.requests[2]?.json, {});
});

test("streams a mailbox with signed requests", async () => {
  await using server = await serveMailbox([(stream) => begin(stream, 1)]);
  const queue = carillonAt(server.url).pull("display");
  for await (const message of queue.stream({ credit: 1 })) {
    assert.equal(await message.ack(), true);
    break;
  }
  assert.deepEqual(server.settled, [{ action: "ack", leaseIds: ["1.1.1"] }]);
});
