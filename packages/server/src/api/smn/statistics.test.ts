import assert from "node:assert/strict";
import { test } from "node:test";
import { hourMs } from "@carillon/core";
import { startTestServer } from "../../../test-support/test-server.ts";

async function setUp() {
  const server = await startTestServer({ result: { outcome: "accepted" } });
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  const topic = `${server.base}/topics/${server.topicUrn("a")}`;
  const ask = (start: string | undefined, end: string | undefined) => {
    const query = new URLSearchParams();
    if (start !== undefined) query.set("start_time", start);
    if (end !== undefined) query.set("end_time", end);
    return server.call("GET", `${topic}/statistics?${query}`);
  };
  return { server, topic, ask };
}

test("counts texts by the hour, hours without any as 0", async () => {
  const { server, topic, ask } = await setUp();
  await using _ = server;
  for (const [protocol, endpoint] of [
    ["sms", "+491700000001"],
    ["sms", "+491700000002"],
    ["email", "a@example.test"],
  ]) {
    await server.call("POST", `${topic}/subscriptions`, { protocol, endpoint });
  }
  await server.clock.advanceSettled(1000);
  for (const { message } of server.sent.slice(0, 3)) {
    if (message.content.kind !== "confirmation") continue;
    const { subscriptionId, generation } = message.content.grant;
    await server.store.confirmSubscription(subscriptionId, generation);
  }
  await server.call("POST", `${topic}/publish`, { message: "m" });
  await server.clock.advanceSettled(2 * hourMs);
  await server.call("POST", `${topic}/publish`, { message: "m" });
  await server.clock.advanceSettled(1000);

  const { body } = await ask("2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z");
  assert.deepEqual(body, {
    request_id: body.request_id,
    total: { sms: 4 },
    statistics: [
      { start_time: "2026-01-01T00:00:00Z", count: { sms: 2 } },
      { start_time: "2026-01-01T01:00:00Z", count: { sms: 0 } },
      { start_time: "2026-01-01T02:00:00Z", count: { sms: 2 } },
      { start_time: "2026-01-01T03:00:00Z", count: { sms: 0 } },
    ],
  });
  const later = await ask("2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z");
  assert.deepEqual(later.body.total, { sms: 0 });
});

test("says what is wrong with the hours asked for", async () => {
  const { server, ask } = await setUp();
  await using _ = server;
  const good = "2026-01-01T00:00:00Z";
  const cases: readonly (readonly [
    string | undefined,
    string | undefined,
    string,
  ])[] = [
    [undefined, good, "SMN.0103"],
    ["2026-01-01T00:30:00Z", good, "SMN.0103"],
    ["2026-13-01T00:00:00Z", good, "SMN.0103"],
    ["yesterday", good, "SMN.0103"],
    [good, undefined, "SMN.0104"],
    [good, "2026-01-01T01:00:00", "SMN.0104"],
    [good, "2027-01-01T01:00:00Z", "SMN.0104"],
    ["2025-11-30T23:00:00Z", good, "SMN.0113"],
    [good, good, "SMN.0114"],
    [good, "2025-12-31T23:00:00Z", "SMN.0114"],
  ];
  for (const [start, end, code] of cases) {
    const { status, body } = await ask(start, end);
    assert.deepEqual([status, body.code], [400, code], `${start} to ${end}`);
  }
});
