import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptResult } from "@carillon/core";
import { startTestServer } from "../../../test-support/test-server.ts";

async function setUp(result?: AttemptResult) {
  const server = await startTestServer(result ? { result } : {});
  const { base, call, clock, store, sent } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const topic = `${base}/topics/${server.topicUrn("a")}`;
  const urns: string[] = [];
  for (const name of ["first", "second", "third", "other"]) {
    const { body } = await call("POST", `${topic}/subscriptions`, {
      protocol: "email",
      endpoint: `${name}@example.test`,
      remark: name,
    });
    urns.push(body.subscription_urn);
    await clock.advanceSettled(1000);
    const content = sent.at(-1)?.message.content;
    if (content?.kind !== "confirmation") throw new Error("not asked");
    const { subscriptionId, generation } = content.grant;
    await store.confirmSubscription(subscriptionId, generation);
  }
  const [first = "", second = "", third = ""] = urns;
  const polling = [
    { order: 30, subscription_urns: [third] },
    { order: 10, subscription_urns: [first] },
    { order: 20, subscription_urns: [second] },
  ];
  const publish = async (): Promise<() => string[]> => {
    const before = sent.length;
    await call("POST", `${topic}/publish`, { message: "m" });
    await clock.advanceSettled(1000);
    return () =>
      sent
        .slice(before)
        .map(({ recipient }) => recipient.endpoint.split("@")[0] ?? "");
  };
  const url = `${topic}/notify-policy`;
  return { server, topic, url, urns, polling, publish };
}

const callnotify = "callnotify";
const refusal: AttemptResult = {
  outcome: "rejected",
  errorClass: "smtp",
  error: "no such mailbox",
};

test("a policy is made, shown in order, replaced and removed", async () => {
  const { server, url, urns, polling } = await setUp();
  await using _ = server;
  const { call } = server;
  assert.equal((await call("GET", url)).status, 404);
  const policy = { protocol: callnotify, polling };
  const made = await call("POST", url, policy);
  assert.equal(made.status, 201);
  assert.equal((await call("POST", url, policy)).status, 400);

  const { body: shown } = await call("GET", url);
  assert.deepEqual([shown.id, shown.protocol], [made.body.id, callnotify]);
  assert.deepEqual(
    shown.polling.map((it: { order: number }) => it.order),
    [10, 20, 30],
  );
  assert.deepEqual(shown.polling[0].subscriptions, [
    {
      subscription_urn: urns[0],
      endpoint: "first@example.test",
      remark: "first",
      status: 1,
    },
  ]);

  const one = { protocol: callnotify, polling: polling.slice(0, 1) };
  const replaced = await call("PUT", `${url}/${made.body.id}`, one);
  assert.equal(replaced.status, 200);
  assert.equal((await call("GET", url)).body.polling.length, 1);
  assert.equal((await call("PUT", `${url}/unknown`, one)).status, 404);
  assert.equal((await call("DELETE", `${url}/${made.body.id}`)).status, 200);
  assert.equal((await call("GET", url)).status, 404);
});

test("refuses policies that cannot be followed", async () => {
  const { server, url, urns, polling } = await setUp();
  await using _ = server;
  const [first] = urns;
  const round = { order: 1, subscription_urns: [first] };
  const wrong: readonly (readonly [object, string])[] = [
    [{ protocol: "sms", polling }, "SMN.00010010"],
    [{ polling }, "SMN.00010010"],
    [{ protocol: callnotify }, "APIGW.0201"],
    [{ protocol: callnotify, polling: [] }, "APIGW.0201"],
    [{ protocol: callnotify, polling: [round, round] }, "APIGW.0201"],
    [
      { protocol: callnotify, polling: [round, { ...round, order: 2 }] },
      "APIGW.0201",
    ],
    [
      { protocol: callnotify, polling: [{ ...round, subscription_urns: [] }] },
      "APIGW.0201",
    ],
    [
      {
        protocol: callnotify,
        polling: [
          {
            ...round,
            subscription_urns: [`${server.topicUrn("a")}:${"0".repeat(32)}`],
          },
        ],
      },
      "APIGW.0201",
    ],
    [
      {
        protocol: callnotify,
        polling: [
          { ...round, subscription_urns: [first?.replace(":a:", ":b:")] },
        ],
      },
      "APIGW.0201",
    ],
  ];
  for (const [payload, code] of wrong) {
    const { status, body } = await server.call("POST", url, payload);
    assert.deepEqual([status, body.code], [400, code], JSON.stringify(payload));
  }
});

test("the first round's delivery spares the others; those not named get theirs", async () => {
  const { server, url, polling, publish } = await setUp();
  await using _ = server;
  await server.call("POST", url, { protocol: callnotify, polling });
  const reached = await publish();
  assert.deepEqual(reached().sort(), ["first", "other"]);
  await server.clock.advanceSettled(600_000);
  assert.deepEqual(reached().sort(), ["first", "other"]);
});

test("goes on to the next round while nobody confirmed", async () => {
  const { server, url, polling, publish } = await setUp(refusal);
  await using _ = server;
  await server.call("POST", url, { protocol: callnotify, polling });
  const reached = await publish();
  assert.deepEqual(reached().sort(), ["first", "other"]);
  await server.clock.advanceSettled(57_000);
  assert.equal(reached().length, 2);
  await server.clock.advanceSettled(8000);
  assert.deepEqual(reached().slice(2), ["second"]);
  await server.clock.advanceSettled(60_000);
  assert.deepEqual(reached().slice(2), ["second", "third"]);
});

test("our own API sets rounds with their time", async () => {
  const { server, urns, publish } = await setUp(refusal);
  await using _ = server;
  const { call } = server;
  const own = `/api/v2/topics/${server.topicUrn("a")}/notify-policy`;
  assert.equal((await call("GET", own)).status, 404);
  const [first, second] = urns;
  const policy = { rounds: [[second], [first]], roundSeconds: 5 };
  const set = await call("PUT", own, policy);
  assert.deepEqual([set.status, set.body], [200, policy]);
  const reached = await publish();
  assert.deepEqual(reached().sort(), ["other", "second", "third"]);
  await server.clock.advanceSettled(10_000);
  assert.deepEqual(reached().slice(3), ["first"]);
  assert.equal((await call("PUT", own, { rounds: [] })).status, 400);
  assert.equal((await call("DELETE", own)).status, 204);
  assert.equal((await call("GET", own)).status, 404);
});
