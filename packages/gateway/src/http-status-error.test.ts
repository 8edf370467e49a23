import assert from "node:assert/strict";
import { test } from "node:test";
import { errorFromHttpStatus, parseRetryAfter } from "./http-status-error.ts";

const CASES: readonly (readonly [status: number, name: string])[] = [
  [400, "RequestError"],
  [401, "AuthError"],
  [402, "CreditError"],
  [403, "AuthError"],
  [404, "RequestError"],
  [407, "AuthError"],
  [408, "LimitsError"],
  [409, "MessageSendError"],
  [413, "RequestError"],
  [418, "MessageSendError"],
  [422, "RequestError"],
  [429, "LimitsError"],
  [500, "ServerError"],
  [501, "UnsupportedError"],
  [503, "ServerError"],
  [302, "MessageSendError"],
];

for (const [status, name] of CASES) {
  test(`${status} is a ${name}`, () => {
    const error = errorFromHttpStatus(status, "why", { retryAfterMs: 5 });
    assert.equal(error.name, name);
    assert.equal(error.code, status);
    assert.equal(error.retryAfterMs, 5);
  });
}

test("the carrier's own code goes before the status", () => {
  assert.equal(errorFromHttpStatus(400, "why", { code: 301 }).code, 301);
});

test("Retry-After counts seconds or names a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(parseRetryAfter("120", now), 120_000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:05 GMT", now), 5000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 2020 00:00:05 GMT", now), 0);
  assert.equal(parseRetryAfter("soon", now), undefined);
  assert.equal(parseRetryAfter(undefined, now), undefined);
});
