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

test("sends what was stored by priority, each once, and no mails with texts", async () => {
  await using server = await startTestServer({
    env: {
      CARILLON_SMS_BATCH_ENABLED: "true",
      CARILLON_EMAIL_BATCH_ENABLED: "true",
      CARILLON_SMS_DEFAULT_PHONE_CODE: "+420",
      CARILLON_SMS_ACCENTS: "strip-ascii",
    },
  });
  const { stored, credentials, clock, call } = server;
  const projectId = credentials.project.id;
  const text = "Příliš žluťoučký kůň";
  const last = await stored.sms.send(projectId, { to: "777 123 456", text });
  assert.deepEqual(
    [last.to, last.text],
    ["+420777123456", "Prilis zlutoucky kun"],
  );
  const to = "+420777123457";
  const first = await stored.sms.send(projectId, { to, text, priority: 1 });
  const mail = { to: "ada@example.com", subject: "s", text };
  await stored.email.send(projectId, mail);
  const atOnce = { to: "+420777123458", text, sendImmediately: true };
  await stored.sms.send(projectId, atOnce);
  await assert.rejects(stored.sms.send(projectId, { to, text: "Привет" }), {
    code: "MESSAGE_INVALID",
  });
  await clock.advanceSettled(1000);
  const endpoints = () =>
    server.sent.map(({ recipient }) => recipient.endpoint);
  assert.deepEqual(endpoints(), ["+420777123458"]);
  const { body } = await call("POST", "/api/v2/sms/batch-runs", {});
  assert.deepEqual(body, {
    sent: [first.id, last.id],
    failed: [],
    pending: [],
  });
  assert.deepEqual(endpoints().slice(1), ["+420777123457", "+420777123456"]);
  const again = await call("POST", "/api/v2/sms/batch-runs", {});
  assert.deepEqual(again.body.sent, []);
  const mails = await call("POST", "/api/v2/emails/batch-runs", {});
  assert.equal(mails.body.sent.length, 1);
  assert.equal(server.sent.length, 4);
});

test("the server makes runs by itself at the interval that is set", async () => {
  await using server = await startTestServer({
    env: {
      CARILLON_SMS_BATCH_ENABLED: "true",
      CARILLON_SMS_BATCH_INTERVAL_SECONDS: "30",
    },
  });
  const { stored, credentials, clock, sent } = server;
  const to = "+420777123456";
  await stored.sms.send(credentials.project.id, { to, text: "hello" });
  await clock.advanceSettled(29_000);
  assert.equal(sent.length, 0);
  await clock.advanceSettled(1000);
  await clock.advanceSettled(1000);
  assert.equal(sent.length, 1);
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
