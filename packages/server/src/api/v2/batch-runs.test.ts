import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

test("refuses a run where batch mode is off, and says what to set", async () => {
  await using server = await startTestServer();
  for (const [path, key] of [
    ["sms", "sms.batch.enabled"],
    ["emails", "email.batch.enabled"],
  ]) {
    const { status, body } = await server.call(
      "POST",
      `/api/v2/${path}/batch-runs`,
    );
    assert.equal(status, 409);
    assert.equal(body.code, "BATCH_SENDING_OFF");
    assert.ok(body.detail.includes(key), body.detail);
  }
});

test("answers what became of a run's messages", async () => {
  await using server = await startTestServer({
    env: { CARILLON_SMS_BATCH_ENABLED: "true" },
  });
  const { status, body } = await server.call("POST", "/api/v2/sms/batch-runs", {
    limit: 5,
  });
  assert.equal(status, 200);
  assert.deepEqual(body, { sent: [], failed: [], pending: [] });
  for (const limit of [0, 10_001, "5", 1.5]) {
    const refused = await server.call("POST", "/api/v2/sms/batch-runs", {
      limit,
    });
    assert.equal(refused.status, 400, String(limit));
  }
});

test("checks deliveries as the profile says", async () => {
  for (const [env, timeout, fails] of [
    [{}, 4320, false],
    [{ CARILLON_STORED_PROFILE: "pymess" }, 10, true],
    [{ CARILLON_SMS_DELIVERY_CHECK_IDLE_TIMEOUT_MINUTES: "30" }, 30, false],
  ] as const) {
    await using server = await startTestServer({
      env,
      result: { outcome: "accepted", receiptExpected: true, provider: "a" },
    });
    const { base, call, clock } = server;
    await call("POST", `${base}/sms`, {
      endpoint: "+491700000000",
      message: "hello",
    });
    await clock.advanceSettled(1000);
    const early = await call("POST", "/api/v2/sms/delivery-checks");
    assert.deepEqual(early.body, {
      asked: 0,
      idle: 0,
      idleTimeoutMinutes: timeout,
      failedIdle: fails,
    });
    if (timeout > 30) continue;
    // The server looks once a minute by itself.
    for (let minute = 0; minute <= timeout; minute++) {
      await clock.advanceSettled(60_000);
    }
    const { body } = await call("GET", "/api/v2/messages?limit=1");
    const { body: found } = await call(
      "GET",
      `/api/v2/messages/${body.messages[0].id}/deliveries`,
    );
    const [{ state, error = "", attemptCount }] = found.deliveries;
    assert.deepEqual([state, attemptCount], [fails ? "failed" : "sent", 1]);
    assert.equal(error.startsWith("timeouted"), fails);
    const warnings = server.complaints.filter(
      ({ event }) => event === "texts_idle",
    );
    assert.deepEqual(
      warnings.map(({ fields }) => fields),
      [{ count: 1, timeoutMinutes: timeout, failed: fails }],
    );
  }
});
