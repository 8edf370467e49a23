import assert from "node:assert/strict";
import { test } from "node:test";
import { errorFromHttpStatus } from "./http-status-error.ts";

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

for (const status of [502, 504]) {
  test(`${status} may come from in front of the carrier, which has the text`, () => {
    const error = errorFromHttpStatus(status, "why");
    assert.equal(error.name, "ServerError");
    assert.equal(error.outcomeUnknown, true);
    const own = errorFromHttpStatus(status, "why", { code: 7 });
    assert.equal(own.outcomeUnknown, false);
    assert.equal(errorFromHttpStatus(503, "why").outcomeUnknown, false);
  });
}

test("the carrier's own code goes before the status", () => {
  assert.equal(errorFromHttpStatus(400, "why", { code: 301 }).code, 301);
});
