import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptResult } from "@carillon/core";
import { startTestServer } from "../../../test-support/test-server.ts";

async function setUp(result?: AttemptResult) {
  const server = await startTestServer(result ? { result } : {});
  const { base, call, clock, store, sent } = server;
  await call("POST", `${base}/topics`, { name: "a" });
  const topic = `${base}/topics/${server.topicUrn("a")}`;
  const subscribe = async (protocol: string, endpoint: string) => {
    const subscription = { protocol, endpoint };
    await call("POST", `${topic}/subscriptions`, subscription);
    await clock.advanceSettled(1000);
    const content = sent.at(-1)?.message.content;
    if (content?.kind !== "confirmation") throw new Error("not asked");
    const { subscriptionId, generation } = content.grant;
    await store.confirmSubscription(subscriptionId, generation);
  };
  const publish = async (): Promise<string> => {
    const { body } = await call("POST", `${topic}/publish`, { message: "m" });
    await clock.advanceSettled(1000);
    return body.message_id;
  };
  const readLog = (query = "") =>
    call("GET", `/api/v2/topics/${server.topicUrn("a")}/log${query}`);
  return {
    server,
    topic,
    url: `${topic}/logtanks`,
    subscribe,
    publish,
    readLog,
  };
}

const logtank = { log_group_id: "group", log_stream_id: "stream" };

test("a topic has one logtank, made, changed and removed", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const { call, clock } = server;
  const none = await call("GET", url);
  assert.deepEqual([none.body.count, none.body.logtanks], [0, []]);

  const made = await call("POST", url, logtank);
  assert.equal(made.status, 201);
  assert.match(made.body.id, /^[0-9a-f]{32}$/);
  assert.equal((await call("POST", url, logtank)).status, 400);
  await clock.advanceSettled(60_000);
  const other = { ...logtank, log_stream_id: "other" };
  const changed = await call("PUT", `${url}/${made.body.id}`, other);
  const expected = {
    id: made.body.id,
    ...other,
    create_time: "2026-01-01T00:00:00Z",
    update_time: "2026-01-01T00:01:00Z",
  };
  assert.deepEqual(changed.body.logtank, expected);
  const shown = await call("GET", url);
  assert.deepEqual([shown.body.count, shown.body.logtanks], [1, [expected]]);

  assert.equal((await call("DELETE", `${url}/${"0".repeat(32)}`)).status, 404);
  assert.equal((await call("DELETE", `${url}/${made.body.id}`)).status, 200);
  assert.equal((await call("GET", url)).body.count, 0);
});

test("a topic that is not there has a code of its own", async () => {
  const { server, url } = await setUp();
  await using _ = server;
  const gone = url.replace(":a/", ":b/");
  for (const [method, path, body] of [
    ["POST", gone, logtank],
    ["GET", gone, undefined],
    ["PUT", `${gone}/1`, logtank],
    ["DELETE", `${gone}/1`, undefined],
  ] as const) {
    const answer = await server.call(method, path, body);
    assert.equal(answer.status, 400, method);
    assert.equal(answer.body.error_code, "SMN.00010008");
  }
  for (const body of [
    {},
    { ...logtank, log_group_id: "" },
    { ...logtank, log_stream_id: 5 },
  ]) {
    assert.equal((await server.call("POST", url, body)).status, 400);
  }
});

test("each delivery's end is logged while the logtank is there", async () => {
  const { server, url, subscribe, publish, readLog } = await setUp({
    outcome: "rejected",
    errorClass: "http_status",
    error: "The receiver answered 410 Gone",
    statusCode: 410,
  });
  await using _ = server;
  await subscribe("https", "https://hooks.example.test/secret?key=1");
  await subscribe("email", "someone@example.test");
  await publish();
  assert.deepEqual((await readLog()).body.entries, []);

  const { body } = await server.call("POST", url, logtank);
  const messageId = await publish();
  const { entries } = (await readLog()).body;
  const byProtocol = (a: { protocol: string }, b: { protocol: string }) =>
    a.protocol.localeCompare(b.protocol);
  const [email, https] = entries.toSorted(byProtocol);
  assert.equal(entries.length, 2);
  assert.equal(email.endpoint, "s***@example.test");
  assert.match(https.subscription_urn, /:a:[0-9a-f]{32}$/);
  assert.match(https.time, /^2026-01-01T00:/);
  assert.deepEqual(
    {
      state: https.state,
      reason: https.reason,
      message_id: https.message_id,
      endpoint: https.endpoint,
      http_code: https.http_code,
      error: https.error,
      log_group_id: https.log_group_id,
    },
    {
      state: "FAIL_DELIVERED",
      reason: "rejected",
      message_id: messageId,
      endpoint: "https://hooks.example.test/***",
      http_code: 410,
      error: "The receiver answered 410 Gone",
      log_group_id: "group",
    },
  );

  await server.call("DELETE", `${url}/${body.id}`);
  await publish();
  assert.equal((await readLog()).body.entries.length, 2);
});

test("the log is read page by page", async () => {
  const { server, url, subscribe, publish, readLog } = await setUp();
  await using _ = server;
  await server.call("POST", url, logtank);
  await subscribe("email", "someone@example.test");
  const ids = [await publish(), await publish(), await publish()];
  const first = await readLog("?limit=2");
  const second = await readLog(`?limit=2&after=${first.body.next}`);
  const read = [...first.body.entries, ...second.body.entries];
  assert.deepEqual(
    read.map((entry) => [entry.state, entry.message_id]),
    ids.map((id) => ["DELIVERED", id]),
  );
  assert.equal((await readLog("?after=../../etc")).status, 400);
  assert.equal((await readLog("?limit=0")).status, 400);
});

test("what a filter policy left out is logged as refused", async () => {
  const { server, url, topic, subscribe, publish, readLog } = await setUp();
  await using _ = server;
  await server.call("POST", url, logtank);
  await subscribe("email", "someone@example.test");
  const { body } = await server.call("GET", `${topic}/subscriptions`);
  await server.call("POST", `${server.base}/subscriptions/filter_polices`, {
    polices: [
      {
        subscription_urn: body.subscriptions[0].subscription_urn,
        filter_polices: [{ name: "level", string_equals: ["high"] }],
      },
    ],
  });
  await publish();
  const [entry] = (await readLog()).body.entries;
  assert.deepEqual([entry.state, entry.reason], ["REJECTS", "filtered"]);
});
