import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOfAnswer, outcomeOfError } from "./outcome.ts";

const outcomes = {
  delivered: [200, 201, 202, 204, 299],
  deferred: [408, 425, 429, 500, 501, 502, 503, 504, 599],
  rejected: [300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 410, 418, 499],
};

for (const [outcome, statusCodes] of Object.entries(outcomes)) {
  for (const statusCode of statusCodes) {
    test(`${statusCode} is ${outcome}`, () => {
      const result = outcomeOfAnswer(statusCode);
      assert.equal(result.outcome, outcome);
      assert.equal(result.statusCode, statusCode);
    });
  }
}

test("quotes the receiver's answer, on one line and no more than 200 of its characters", () => {
  const result = outcomeOfAnswer(
    500,
    undefined,
    `\u001b[31mout of\r\n\tmemory\u0000\u202e ${"é".repeat(300)}`,
  );
  assert.equal(
    "error" in result && result.error,
    `The endpoint answered 500: [31mout of memory ${"é".repeat(182)}`,
  );
});

test("a receiver's wish counts for a day at most", () => {
  const result = outcomeOfAnswer(503, Number.MAX_SAFE_INTEGER);
  assert.equal("retryAfterMs" in result && result.retryAfterMs, 86_400_000);
});

test("hands on the receiver's wish when to come again", () => {
  const busy = outcomeOfAnswer(503, 7000);
  const gone = outcomeOfAnswer(410, 7000);
  assert.equal("retryAfterMs" in busy && busy.retryAfterMs, 7000);
  assert.ok(!("retryAfterMs" in gone));
});

for (const [code, description] of [
  ["ECONNREFUSED", "The endpoint refused the connection (ECONNREFUSED)."],
  ["ENOTFOUND", "The host name does not resolve (ENOTFOUND)."],
  [
    "CERT_HAS_EXPIRED",
    "No secure connection could be made (CERT_HAS_EXPIRED).",
  ],
  [
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "No secure connection could be made (ERR_TLS_CERT_ALTNAME_INVALID).",
  ],
  [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "No secure connection could be made (DEPTH_ZERO_SELF_SIGNED_CERT).",
  ],
  ["EWHATEVER", "The endpoint could not be reached: EWHATEVER."],
] as const) {
  test(`${code} is deferred, with a description`, () => {
    const error = Object.assign(new Error("x"), { code });
    const failed = {
      outcome: "deferred",
      errorClass: "unreachable",
      error: description,
    };
    assert.deepEqual(outcomeOfError(error), failed);
    // A host with two addresses that both fail.
    assert.deepEqual(
      outcomeOfError(new AggregateError([error, error])),
      failed,
    );
  });
}
