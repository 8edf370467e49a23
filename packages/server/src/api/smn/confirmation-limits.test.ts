import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

test("over the limit subscribing succeeds and nothing is sent", async () => {
  await using server = await startTestServer();
  await server.call("POST", `${server.base}/topics`, {
    name: "alerts",
    display_name: "",
  });
  const path = `${server.base}/topics/${server.topicUrn("alerts")}/subscriptions`;
  const subscribe = () =>
    server.call("POST", path, { protocol: "sms", endpoint: "+4915112345678" });
  const urns = new Set<string>();
  for (let n = 0; n < 12; n++) {
    const { status, body } = await subscribe();
    assert.equal(status, n === 0 ? 201 : 200);
    urns.add(body.subscription_urn);
    await server.clock.advanceSettled(1000);
  }
  assert.equal(urns.size, 1);
  assert.equal(server.sent.length, 10);
  assert.equal(server.complaints[0]?.event, "confirmation_throttled");

  await server.clock.advanceSettled(3_600_000);
  await subscribe();
  await server.clock.advanceSettled(1);
  assert.equal(server.sent.length, 11);
});
