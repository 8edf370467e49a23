import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

async function setUp() {
  const server = await startTestServer();
  const { base, call } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const topic = `${base}/topics/${server.topicUrn("a")}`;
  const subscribe = async (endpoint: string): Promise<string> => {
    const { body } = await call("POST", `${topic}/subscriptions`, {
      protocol: "email",
      endpoint,
    });
    await server.clock.advanceSettled(1000);
    const content = server.sent.at(-1)?.message.content;
    assert.ok(content?.kind === "confirmation");
    const { subscriptionId, generation } = content.grant;
    await server.store.confirmSubscription(subscriptionId, generation);
    return body.subscription_urn;
  };
  const policiesOf = async (): Promise<unknown[]> => {
    const { body } = await call("GET", `${topic}/subscriptions`);
    return body.subscriptions.map(
      (it: { filter_polices: unknown }) => it.filter_polices,
    );
  };
  const url = `${base}/subscriptions/filter_polices`;
  return { server, url, topic, subscribe, policiesOf };
}

const high = [{ name: "level", string_equals: ["high", "höher"] }];
const low = [
  { name: "level", string_equals: ["low"] },
  { name: "site", string_equals: ["a"] },
];

test("sets, replaces and removes policies; each part is answered in order", async () => {
  const { server, url, subscribe, policiesOf } = await setUp();
  await using _ = server;
  const a = await subscribe("a@example.test");
  const b = await subscribe("b@example.test");
  const unknown = `${server.topicUrn("a")}:${"0".repeat(32)}`;
  assert.deepEqual(await policiesOf(), [[], []]);

  const { status, body } = await server.call("POST", url, {
    polices: [
      { subscription_urn: a, filter_polices: high },
      { subscription_urn: "bad", filter_polices: high },
      { subscription_urn: unknown, filter_polices: high },
      { subscription_urn: b, filter_polices: low },
    ],
  });
  assert.equal(status, 200);
  assert.match(body.request_id, /^[0-9a-f]{32}$/);
  assert.deepEqual(
    body.batch_result.map((it: Record<string, unknown>) => [
      it.subscription_urn,
      it.code,
    ]),
    [
      [a, undefined],
      ["bad", "SMN.00011027"],
      [unknown, "SMN.00011027"],
      [b, undefined],
    ],
  );
  assert.deepEqual(await policiesOf(), [high, low]);

  await server.call("PUT", url, {
    polices: [{ subscription_urn: a, filter_polices: low }],
  });
  const removed = await server.call("DELETE", url, {
    subscription_urns: [b, "bad"],
  });
  assert.equal(removed.body.batch_result[0].subscription_urn, b);
  assert.equal(removed.body.batch_result[1].code, "SMN.00011027");
  assert.deepEqual(await policiesOf(), [low, []]);
});

test("a batch with a policy that is wrong changes nothing", async () => {
  const { server, url, subscribe, policiesOf } = await setUp();
  await using _ = server;
  const a = await subscribe("a@example.test");
  const wrong: unknown[] = [
    { polices: [] },
    { polices: Array(101).fill({ subscription_urn: a, filter_polices: high }) },
    { polices: "x" },
    { polices: [{ filter_polices: high }] },
    ...[
      undefined,
      [],
      [...high, ...high],
      [{ name: "smn_x", string_equals: ["a"] }],
      [{ name: "level", string_equals: [] }],
      [{ name: "level", string_equals: ["a-b"] }],
      Array.from({ length: 6 }, (_, n) => ({ ...high[0], name: `n${n}` })),
    ].map((filter_polices) => ({
      polices: [
        { subscription_urn: a, filter_polices: high },
        { subscription_urn: a, filter_polices },
      ],
    })),
  ];
  for (const payload of wrong) {
    const { status, body } = await server.call("POST", url, payload);
    assert.equal(status, 400, JSON.stringify(payload));
    assert.equal(body.error_code, "SMN.0043");
  }
  assert.deepEqual(await policiesOf(), [[]]);
});

test("subscribers get what their policies let through", async () => {
  const { server, url, topic, subscribe } = await setUp();
  await using _ = server;
  const a = await subscribe("a@example.test");
  const b = await subscribe("b@example.test");
  await server.call("POST", url, {
    polices: [
      { subscription_urn: a, filter_polices: high },
      { subscription_urn: b, filter_polices: low },
    ],
  });
  const before = server.sent.length;
  const { body } = await server.call("POST", `${topic}/publish`, {
    message: "m",
    message_attributes: [
      { name: "level", type: "STRING_ARRAY", value: ["höher", "low"] },
    ],
  });
  await server.clock.advanceSettled(1000);
  assert.deepEqual(
    server.sent.slice(before).map(({ recipient }) => recipient.endpoint),
    ["a@example.test"],
  );
  const shown = await server.call(
    "GET",
    `/api/v2/messages/${body.message_id}/deliveries?state=filtered`,
  );
  assert.equal(shown.body.deliveries.length, 1);
  assert.match(JSON.stringify(shown.body), /attribute site is none of: a/);
});

test("another project's subscriptions cannot be changed", async () => {
  const { server, url, subscribe, policiesOf } = await setUp();
  await using _ = server;
  const a = await subscribe("a@example.test");
  const foreign = a.replace(server.credentials.project.id, "f".repeat(32));
  const { body } = await server.call("POST", url, {
    polices: [{ subscription_urn: foreign, filter_polices: high }],
  });
  assert.equal(body.batch_result[0].code, "SMN.00011027");
  assert.deepEqual(await policiesOf(), [[]]);
});
