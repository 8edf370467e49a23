import assert from "node:assert/strict";
import { test } from "node:test";
import { excerptOfBody } from "../answer-text.ts";
import {
  describeLocation,
  outcomeOfAnswer,
  outcomeOfError,
} from "./outcome.ts";

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
  const body = `\u001b[31mout of\r\n\tmemory\u0001\u202e ${"é".repeat(300)}`;
  const text = excerptOfBody(Buffer.from(body), {});
  const result = outcomeOfAnswer(500, { text });
  assert.equal(
    "error" in result && result.error,
    `The endpoint answered 500: [31mout of memory ${"é".repeat(182)}`,
  );
});

test("hands on the receiver's wish when to come again", () => {
  const busy = outcomeOfAnswer(503, { retryAfterMs: 7000 });
  const gone = outcomeOfAnswer(410, { retryAfterMs: 7000 });
  assert.equal("retryAfterMs" in busy && busy.retryAfterMs, 7000);
  assert.ok(!("retryAfterMs" in gone));
});

for (const [location, path, described] of [
  ["https://b.test/new", "/old", "https://b.test/new"],
  ["/login?next=/secret", "/secret?x", "/login?***"],
  ["https://u:p@b.test/x?y#z", "/", "https://***@b.test/x?***"],
  ["https://a.test/secret/", "/secret?q", "https://a.test/***/"],
  ["https://a.test/a", "/a", "https://a.test/***"],
  ["//a.test/b", "/a", "//a.test/b"],
  ["a\r\nb\u001b[31m", "/", "a b [31m"],
  [`/${"x".repeat(999)}`, "/", `/${"x".repeat(199)}`],
] as const) {
  test(`describes the Location ${location.slice(0, 40)} as ${described.slice(0, 40)}`, () => {
    assert.equal(describeLocation(location, path), described);
  });
}

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
