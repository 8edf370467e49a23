/** Publishing over our own API: what a message may carry, and to whom. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createEgressGuard } from "@carillon/channels";
import { CarillonError, type SubscriptionId } from "@carillon/core";
import {
  startTestServer,
  type TestServer,
  tokenIn,
} from "../../../test-support/test-server.ts";

const url = "/api/v2/messages";
const phone = { protocol: "sms", endpoint: "+4915112345678" };
const direct = { kind: "direct", recipients: [phone] };

async function createTopic(server: TestServer, name = "orders") {
  await server.call("POST", `${server.base}/topics`, { name });
  return { kind: "topic", topicUrn: server.topicUrn(name) };
}

async function show(server: TestServer, id: string) {
  const { status, body } = await server.call("GET", `${url}/${id}`);
  assert.equal(status, 200);
  return body;
}

test("publishes to a topic what a message may carry", async () => {
  await using server = await startTestServer();
  const audience = await createTopic(server);
  const given = {
    subject: "Order 4711",
    variants: { default: "Shipped", sms: "Order shipped" },
    attributes: [{ name: "kind", type: "STRING", value: "order" }],
    timeToLiveSeconds: { sms: 60, email: 3600 },
    class: "transactional",
    tag: "orders.eu",
    sms: {
      sender: "ACME",
      provider: "null",
      validityMinutes: 5,
      allowReply: false,
      escalate: true,
      statusReport: false,
      params: { campaign: "spring", tags: ["a", { b: 1 }] },
    },
    priority: 2,
    extraData: { cart: [1, 2], by: { id: 7 } },
    statusUrl: "https://example.com/outcomes",
  };
  const { status, body, headers } = await server.call("POST", url, {
    ...given,
    audience,
    relatedObjects: [
      { type: "order", id: 4711 },
      { type: "customer", id: "c-7" },
    ],
  });
  assert.equal(status, 201);
  assert.deepEqual(Object.keys(body), ["id"]);
  assert.equal(headers.location, `${url}/${body.id}`);
  const shown = await show(server, body.id);
  for (const [name, value] of Object.entries(given)) {
    assert.deepEqual(shown[name], value, name);
  }
  assert.deepEqual(shown.relatedObjects, [
    { type: "order", id: "4711" },
    { type: "customer", id: "c-7" },
  ]);
  assert.deepEqual(
    [shown.audience, shown.topicUrn, shown.kind],
    ["topic", audience.topicUrn, "structure"],
  );
});

test("sends to recipients of its own, each by its protocol", async () => {
  await using server = await startTestServer();
  const recipients = [
    phone,
    { protocol: "email", endpoint: "name@example.com" },
    { protocol: "https", endpoint: "https://example.com/hook" },
    phone,
  ];
  const { status, body } = await server.call("POST", url, {
    audience: { kind: "direct", recipients },
    text: "hi",
    class: "otp",
    timeToLiveSeconds: { https: 30, email: 60 },
  });
  assert.equal(status, 201);
  const list = await server.call("GET", `${url}/${body.id}/deliveries`);
  assert.deepEqual(
    list.body.deliveries.map(({ protocol, endpoint }: typeof phone) => ({
      protocol,
      endpoint,
    })),
    recipients.slice(0, 3),
  );
  const shown = await show(server, body.id);
  assert.equal(shown.audience, "direct");
  // A code lives ten minutes, longer than the lives that were given.
  assert.equal(
    Date.parse(shown.expiresAt) - Date.parse(shown.acceptedAt),
    600_000,
  );
});

test("a thousand recipients are taken, one more is not", async () => {
  await using server = await startTestServer({ unstarted: true });
  const recipients = Array.from({ length: 1000 }, (_, n) => ({
    protocol: "sms",
    endpoint: `+49151${10_000_000 + n}`,
  }));
  const send = (list: readonly object[]) =>
    server.call("POST", url, {
      audience: { kind: "direct", recipients: list },
      text: "hi",
    });
  const taken = await send(recipients);
  assert.equal(taken.status, 201);
  const shown = await show(server, taken.body.id);
  assert.deepEqual(shown.counts, { waiting: 1000 });
  const refused = await send([...recipients, phone]);
  assert.deepEqual(
    [refused.status, refused.body.code],
    [400, "RECIPIENTS_INVALID"],
  );
});

test("holds a message back until its instant, and counts its life from there", async () => {
  await using server = await startTestServer();
  const start = server.clock.now();
  const notBefore = new Date(start + 3_600_000).toISOString();
  const { body } = await server.call("POST", url, {
    audience: direct,
    text: "later",
    notBefore,
    timeToLiveSeconds: 60,
  });
  const shown = await show(server, body.id);
  assert.equal(shown.notBefore, notBefore);
  assert.equal(Date.parse(shown.expiresAt), start + 3_660_000);
  await server.clock.advanceSettled(3_599_000);
  assert.deepEqual(server.sent, []);
  assert.deepEqual((await show(server, body.id)).counts, { waiting: 1 });
  await server.clock.advanceSettled(1000);
  assert.equal(server.sent.length, 1);
  assert.deepEqual((await show(server, body.id)).counts, { delivered: 1 });
});

test("a template takes the place of the text", async () => {
  await using server = await startTestServer();
  await server.call("POST", `${server.base}/message_template`, {
    message_template_name: "disk",
    protocol: "default",
    content: "Disk {disk} is full.",
  });
  const { body } = await server.call("POST", url, {
    audience: direct,
    template: { name: "disk", tags: { disk: "sda" } },
  });
  const shown = await show(server, body.id);
  assert.deepEqual(shown.variants, { default: "Disk sda is full." });
});

test("lists messages by tag and by related object", async () => {
  await using server = await startTestServer();
  const send = async (options: object) =>
    (
      await server.call("POST", url, {
        audience: direct,
        text: "x",
        ...options,
      })
    ).body.id;
  const order = (id: unknown) => ({ relatedObjects: [{ type: "order", id }] });
  const a = await send({ tag: "eu", ...order(7) });
  const b = await send({ tag: "us", ...order("7") });
  await send({});
  const list = async (query: string) => {
    const { body } = await server.call("GET", `${url}?${query}`);
    return body.messages?.map(({ id }: { id: string }) => id) ?? body.code;
  };
  assert.deepEqual(await list("tag=eu"), [a]);
  const ofOrder = "relatedObjectType=order&relatedObjectId=7";
  assert.deepEqual(await list(ofOrder), [b, a]);
  assert.deepEqual(await list(`${ofOrder}&tag=us`), [b]);
  assert.deepEqual(await list(`${ofOrder}&limit=1&before=${b}`), [a]);
  assert.deepEqual(await list("relatedObjectType=order&relatedObjectId=8"), []);
  for (const query of ["tag=a%20b", "relatedObjectType=order", "tag="]) {
    assert.equal(await list(query), "MESSAGE_OPTION_INVALID", query);
  }
});

test("refuses what cannot be, says why, and keeps nothing", async () => {
  await using server = await startTestServer();
  const audience = await createTopic(server);
  const text = "x";
  for (const [body, code, detail] of [
    [{ text }, "REQUEST_INVALID", /audience is missing/],
    [{ audience: { kind: "all" }, text }, "REQUEST_INVALID", /audience\.kind/],
    [
      { audience: { kind: "topic" }, text },
      "REQUEST_INVALID",
      /needs topicUrn/,
    ],
    [
      { audience: { ...direct, ...audience }, text },
      "REQUEST_INVALID",
      /has no recipients/,
    ],
    [
      { audience: { kind: "direct" }, text },
      "REQUEST_INVALID",
      /needs recipients/,
    ],
    [
      { audience: { kind: "direct", recipients: [] }, text },
      "RECIPIENTS_INVALID",
      /0 were given/,
    ],
    [
      {
        audience: {
          kind: "direct",
          recipients: [phone, { ...phone, endpoint: "1" }],
        },
        text,
      },
      "RECIPIENTS_INVALID",
      /1 of 2 .*recipients\[1\]/,
    ],
    [
      { audience: { kind: "direct", recipients: ["x"] }, text },
      "RECIPIENTS_INVALID",
      /recipients\.0/,
    ],
    [
      { audience: { kind: "topic", topicUrn: "x" }, text },
      "TOPIC_URN_INVALID",
      /./,
    ],
    [{ audience }, "MESSAGE_INVALID", /0 were given/],
    [
      { audience, text, variants: { default: "x" } },
      "MESSAGE_INVALID",
      /2 were given/,
    ],
    [
      { audience, variants: { sms: "x" } },
      "MESSAGE_STRUCTURE_INVALID",
      /"default"/,
    ],
    [{ audience, text, tag: "a b" }, "MESSAGE_OPTION_INVALID", /Invalid tag/],
    [
      { audience, text, tag: 1 },
      "MESSAGE_OPTION_INVALID",
      /tag must be string/,
    ],
    [{ audience, text, class: "x" }, "MESSAGE_OPTION_INVALID", /Invalid class/],
    [
      { audience, text, priority: 4 },
      "MESSAGE_OPTION_INVALID",
      /Invalid priority/,
    ],
    [{ audience, text, extraData: [] }, "MESSAGE_OPTION_INVALID", /extraData/],
    [
      { audience, text, relatedObjects: [{}] },
      "MESSAGE_OPTION_INVALID",
      /relatedObjects/,
    ],
    [
      { audience, text, statusUrl: "ftp://x" },
      "MESSAGE_OPTION_INVALID",
      /Invalid statusUrl/,
    ],
    [{ audience, text, notBefore: "soon" }, "REQUEST_INVALID", /notBefore/],
    [
      { audience, text, notBefore: "2999-01-01T00:00:00Z" },
      "MESSAGE_OPTION_INVALID",
      /35 days/,
    ],
    [
      { audience, text, timeToLiveSeconds: 0 },
      "TIME_TO_LIVE_INVALID",
      /1209600/,
    ],
    [
      { audience, text, timeToLiveSeconds: { fax: 1 } },
      "TIME_TO_LIVE_INVALID",
      /sms/,
    ],
    [
      { audience, text, attributes: [{ name: "A" }] },
      "MESSAGE_ATTRIBUTES_INVALID",
      /./,
    ],
    [{ audience: direct, text: "a\u0000" }, "MESSAGE_INVALID", /./],
  ] as const) {
    const answer = await server.call("POST", url, body);
    const said = `${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`;
    assert.equal(answer.status, 400, said);
    assert.equal(answer.body.code, code, said);
    assert.match(answer.body.detail, detail, said);
  }
  const { body } = await server.call("GET", url);
  assert.deepEqual(body.messages, []);
});

/** Subscribes a webhook and confirms it; answers the subscription's URN. */
async function subscribe(server: TestServer, topic: string, endpoint: string) {
  const url = `${server.base}/topics/${server.topicUrn(topic)}/subscriptions`;
  const { body } = await server.call("POST", url, {
    protocol: "https",
    endpoint,
  });
  const urn: string = body.subscription_urn;
  const id = urn.slice(-32) as SubscriptionId;
  await server.clock.advanceSettled(0);
  const notice = server.sent.findLast(
    ({ recipient }) => recipient.subscriptionId === id,
  );
  const token = tokenIn(notice?.message.content);
  const confirmed = await server.app.inject({
    method: "GET",
    url: `/smn/subscription/confirm?token=${token}`,
  });
  assert.ok(confirmed.statusCode < 400, confirmed.body);
  return urn;
}

test("an error names the member as the API that was asked does", async () => {
  await using server = await startTestServer();
  const audience = await createTopic(server);
  const smnPath = `${server.base}/topics/${server.topicUrn("orders")}/publish`;
  for (const [ours, smn] of [
    [{ timeToLiveSeconds: 0 }, { time_to_live: 0 }],
    [{ statusUrl: "ftp://x" }, { status_url: "ftp://x" }],
  ]) {
    const body = { audience, text: "a", ...ours };
    const refused = await server.call("POST", url, body);
    const [name] = Object.keys(ours ?? {});
    assert.match(refused.body.detail, new RegExp(`^Invalid ${name}: `));
    const [smnName] = Object.keys(smn ?? {});
    const answer = await server.call("POST", smnPath, { message: "a", ...smn });
    assert.match(JSON.stringify(answer.body), new RegExp(`Invalid ${smnName}`));
  }
  for (const [query, missing] of [
    ["relatedObjectType=order", "relatedObjectId"],
    ["relatedObjectId=7", "relatedObjectType"],
  ]) {
    const { status, body } = await server.call("GET", `${url}?${query}`);
    assert.equal(status, 400);
    assert.match(body.detail, new RegExp(`^${missing} is missing`));
  }
});

test("a status URL that deliveries may not reach is refused, over both APIs", async () => {
  const egress = createEgressGuard({
    allowTargets: [],
    resolve: () => Promise.reject(new Error("No name server is asked.")),
  });
  await using server = await startTestServer({
    checkTargetNow(url) {
      const refusal = egress.checkUrlNow(url);
      if (!refusal) return;
      throw new CarillonError("ENDPOINT_FORBIDDEN", refusal.message);
    },
  });
  const audience = await createTopic(server);
  const smnPath = `${server.base}/topics/${server.topicUrn("orders")}/publish`;
  for (const [target, status] of [
    ["http://10.0.0.1/x", 403],
    ["https://8.8.8.8:22/", 403],
    ["http://localhost/", 403],
    ["https://nobody.example/", 201],
  ] as const) {
    const ours = await server.call("POST", url, {
      audience,
      text: "a",
      statusUrl: target,
    });
    assert.equal(ours.status, status, target);
    const smn = await server.call("POST", smnPath, {
      message: "a",
      status_url: target,
    });
    assert.equal(smn.status, status === 201 ? 200 : status, target);
    if (status !== 403) continue;
    assert.equal(ours.body.code, "ENDPOINT_FORBIDDEN");
    assert.equal(smn.body.error_code ?? smn.body.code, "SMN.0069");
  }
  const { body } = await server.call("GET", url);
  assert.equal(body.messages.length, 2);
});

test("publishes to several topics by name or URN, each subscriber once", async () => {
  await using server = await startTestServer();
  for (const name of ["a", "b", "c"]) await createTopic(server, name);
  const both = await subscribe(server, "b", "https://both.test/");
  await subscribe(server, "c", "https://both.test/");
  const only = await subscribe(server, "c", "https://only.test/");
  const before = server.sent.length;
  const topics = ["b", server.topicUrn("a"), "c"];
  const audience = { kind: "topics", topics };
  const { status, body } = await server.call("POST", url, {
    audience,
    text: "x",
  });
  assert.equal(status, 201, JSON.stringify(body));
  await server.clock.advanceSettled(10_000);
  const got = server.sent
    .slice(before)
    .map(({ message, recipient }) => [recipient.endpoint, message.topic?.name]);
  assert.deepEqual(got, [
    ["https://both.test/", "b"],
    ["https://only.test/", "c"],
  ]);
  const shown = await show(server, body.id);
  assert.deepEqual(
    [shown.audience, shown.topicUrns, shown.topicUrn, shown.counts],
    [
      "topics",
      ["b", "a", "c"].map((name) => server.topicUrn(name)),
      undefined,
      { delivered: 2 },
    ],
  );
  assert.equal(shown.fannedOut, true);
  const list = await server.call("GET", `${url}/${body.id}/deliveries`);
  assert.deepEqual(
    list.body.deliveries.map(
      (it: { subscriptionUrn: string }) => it.subscriptionUrn,
    ),
    [both, only],
  );
  for (const name of ["a", "b", "c"]) {
    const query = `topicUrn=${server.topicUrn(name)}`;
    const { body: page } = await server.call("GET", `${url}?${query}`);
    assert.deepEqual(
      page.messages
        .filter((it: { kind: string }) => it.kind === "text")
        .map((it: { id: string }) => it.id),
      [body.id],
    );
  }
});

test("refuses topics that cannot go together, and keeps nothing", async () => {
  await using server = await startTestServer();
  const { topicUrn } = await createTopic(server, "a");
  await createTopic(server, "b");
  const foreign = topicUrn.replace(/[0-9a-f]{32}/, "f".repeat(32));
  for (const [audience, status, code, detail] of [
    [{ topics: ["a"] }, 400, "TOPICS_INVALID", /2 to 10 are expected/],
    [
      { topics: Array.from({ length: 11 }, (_, n) => `t${n}`) },
      400,
      "TOPICS_INVALID",
      /11 were given/,
    ],
    [{ topics: ["a", topicUrn] }, 400, "TOPICS_INVALID", /:a is named twice/],
    [{ topics: ["a", 7] }, 400, "TOPICS_INVALID", /topics/],
    [{ topics: ["a", "b c"] }, 400, "TOPIC_NAME_INVALID", /topic name/],
    [{ topics: ["a", "urn:x"] }, 400, "TOPIC_URN_INVALID", /urn:x/],
    [{ topics: ["a", "missing"] }, 404, "TOPIC_NOT_FOUND", /:missing/],
    [{ topics: ["a", foreign] }, 403, "TOPIC_ACCESS_DENIED", /policy/],
    [{}, 400, "REQUEST_INVALID", /needs topics/],
    [
      { topics: ["a", "b"], topicUrn },
      400,
      "REQUEST_INVALID",
      /has no topicUrn/,
    ],
  ] as const) {
    const { body, status: answered } = await server.call("POST", url, {
      audience: { kind: "topics", ...audience },
      text: "x",
    });
    const said = JSON.stringify(body);
    assert.deepEqual([answered, body.code], [status, code], said);
    assert.match(body.detail, detail);
  }
  const { body } = await server.call("GET", url);
  assert.deepEqual(body.messages, []);
});
