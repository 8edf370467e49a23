/** A channel that is none of ours, in a server composed with it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Channel } from "@carillon/core";
import { selectText } from "@carillon/core";
import { startTestServer } from "../test-support/test-server.ts";

/** Carries messages to lofts, whose names are their secrets. */
function createPigeonChannel() {
  const arrived: { endpoint: string; text: string; wind: unknown }[] = [];
  const pigeon: Channel["protocols"][number] = {
    name: "pigeon",
    isSmn: false,
    endpointForm: "the name of a loft such as tower/7",
    problemWithEndpoint: (endpoint) =>
      /^[a-z]+\/\d+$/i.test(endpoint) ? undefined : "it has no number",
    normalizeEndpoint: (endpoint) => endpoint.toLowerCase(),
    maskEndpoint: (endpoint) => endpoint.replace(/\/.*/, "/***"),
    maskSecrets: (endpoint) => endpoint.replace(/\/.*/, "/***"),
    checkExtension: ({ wind }) => (wind === undefined ? {} : { wind }),
    variants: ["pigeon", "sms"],
    problemWithText: (text) => (text.includes("cat") ? "a cat" : undefined),
    defaultLifeSeconds: 60,
    confirmation: "none",
  };
  const channel: Channel = {
    name: "pigeon",
    protocols: [pigeon],
    kind: "push",
    timeoutMs: 1000,
    prepare: ({ content }) => ({
      async deliver({ endpoint, extension }) {
        const text = selectText(content, pigeon);
        arrived.push({ endpoint, text, wind: extension?.wind });
        return { outcome: "delivered" };
      },
    }),
    async close() {},
  };
  return { arrived, channel };
}

test("a channel of one's own is subscribed to, delivers, and is shown", async () => {
  const { arrived, channel } = createPigeonChannel();
  await using server = await startTestServer({ channels: [channel] });
  const { base, topicUrn, call, clock } = server;
  await call("POST", `${base}/topics`, { name: "news" });
  const path = `/api/v2/topics/${topicUrn("news")}/subscriptions`;
  const asked = {
    protocol: "pigeon",
    endpoint: "Tower/7",
    extension: { wind: "west" },
  };

  const added = await call("POST", path, asked);
  assert.equal(added.status, 201, JSON.stringify(added.body));
  assert.equal(added.body.endpoint, "tower/***");
  assert.equal(added.body.status, "confirmation not needed");
  assert.equal((await call("POST", path, asked)).status, 200);
  const { created, ...shown } = added.body;
  assert.equal(created, true);
  const listed = await call("GET", path);
  assert.deepEqual(listed.body, { subscriptions: [shown] });
  assert.deepEqual(
    (await call("GET", `${path}?after=${added.body.urn}`)).body,
    {
      subscriptions: [],
    },
  );

  const { body } = await call(
    "POST",
    `${base}/topics/${topicUrn("news")}/publish`,
    {
      message_structure: JSON.stringify({ default: "long", sms: "short" }),
    },
  );
  await clock.advanceSettled(10);
  assert.deepEqual(arrived, [
    { endpoint: "tower/7", text: "short", wind: "west" },
  ]);
  const deliveries = await call(
    "GET",
    `/api/v2/messages/${body.message_id}/deliveries`,
  );
  const [delivery] = deliveries.body.deliveries;
  assert.equal(delivery.protocol, "pigeon");
  assert.equal(delivery.state, "delivered");
  assert.equal(delivery.endpoint, "tower/***");
  const metrics = await call("GET", "/metrics");
  assert.match(
    metrics.body,
    /carillon_delivery_outcomes_total\{protocol="pigeon",state="delivered"\} 1/,
  );
});

test("what its definition refuses is refused with its words", async () => {
  const { channel } = createPigeonChannel();
  await using server = await startTestServer({ channels: [channel] });
  const { base, topicUrn, call } = server;
  await call("POST", `${base}/topics`, { name: "news" });
  const path = `/api/v2/topics/${topicUrn("news")}/subscriptions`;
  const bad = await call("POST", path, { protocol: "pigeon", endpoint: "x" });
  assert.equal(bad.status, 400);
  assert.equal(bad.body.code, "ENDPOINT_INVALID");
  assert.match(
    bad.body.detail,
    /pigeon needs the name of a loft such as tower\/7; it has no number/,
  );
  const unknown = await call("POST", path, { protocol: "crow", endpoint: "x" });
  assert.deepEqual(
    [unknown.status, unknown.body.code],
    [400, "PROTOCOL_INVALID"],
  );
  const structure = JSON.stringify({ default: "long", pigeon: "a cat" });
  const published = await call(
    "POST",
    `${base}/topics/${topicUrn("news")}/publish`,
    { message_structure: structure },
  );
  assert.equal(published.status, 400);
  const { body } = await call("GET", "/api/v2/openapi.json");
  const document = JSON.stringify(body);
  assert.match(document, /"enum":\[[^\]]*"pigeon"/);
  assert.match(document, /How it is reached: [a-z, ]*\bsms, [a-z, ]*pigeon\./);
});

test("clients of SMN see SMN's protocols alone", async () => {
  const { channel } = createPigeonChannel();
  await using server = await startTestServer({ channels: [channel] });
  const { base, topicUrn, call } = server;
  await call("POST", `${base}/topics`, { name: "news" });
  const urn = topicUrn("news");
  await call("POST", `/api/v2/topics/${urn}/subscriptions`, {
    protocol: "pigeon",
    endpoint: "tower/7",
  });
  const smn = `${base}/topics/${urn}/subscriptions`;
  const mail = { protocol: "email", endpoint: "a@example.com" };
  assert.equal((await call("POST", smn, mail)).status, 201);
  const refused = await call("POST", smn, {
    protocol: "pigeon",
    endpoint: "tower/8",
  });
  assert.equal(refused.status, 400);
  assert.match(refused.body.message, /use one of http, https, email, sms\./);
  for (const url of [smn, `${base}/subscriptions`]) {
    const { body } = await call("GET", url);
    assert.equal(body.subscription_count, 1, url);
    assert.deepEqual(
      body.subscriptions.map((it: { protocol: string }) => it.protocol),
      ["email"],
    );
  }
  const { body } = await call("GET", `${base}/protocols`);
  assert.deepEqual(body.protocols, ["http", "https", "email", "sms"]);
});
