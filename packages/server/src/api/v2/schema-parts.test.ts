import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";
import { parseInstant } from "./schema-parts.ts";

test("an instant has a day, a time and a zone; an unescaped plus is a space", () => {
  const at = Date.UTC(2026, 0, 31, 8, 30);
  assert.equal(parseInstant("2026-01-31T08:30:00Z"), at);
  assert.equal(parseInstant("2026-01-31T09:30:00 01:00"), at);
  for (const text of ["2026-01-31", "2026-01-31T08:30:00", "yesterday"]) {
    assert.throws(() => parseInstant(text, "until"), {
      code: "REQUEST_INVALID",
      message: /^until is not as expected/,
    });
  }
});

test("a day that no month has is refused in each place", async () => {
  await using server = await startTestServer();
  const never = "2026-02-30T00:00:00Z";
  const audience = {
    kind: "direct",
    recipients: [{ protocol: "sms", endpoint: "+4915112345678" }],
  };
  const filter = { since: never };
  const job = { action: "cancel", reason: "r" };
  for (const [method, path, body] of [
    ["GET", `messages?since=${never}`],
    ["GET", `inbound?since=${never}`],
    ["POST", "delivery-jobs", { ...job, filter }],
    ["POST", "delivery-jobs", { ...job, filter: { until: never } }],
    ["POST", "delivery-jobs/preview", { action: "cancel", filter }],
    ["POST", "messages", { audience, text: "x", notBefore: never }],
  ] as const) {
    const answer = await server.call(method, `/api/v2/${path}`, body);
    const said = [answer.status, answer.body.code];
    assert.deepEqual(said, [400, "REQUEST_INVALID"], `${path} ${body}`);
  }
  const { body } = await server.call("GET", "/api/v2/delivery-jobs");
  assert.deepEqual(body.jobs, []);
});
