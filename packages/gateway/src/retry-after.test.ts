import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterCases, retryAfterNow } from "@carillon/testing";
import { parseRetryAfter } from "./retry-after.ts";

for (const [header, waitMs] of retryAfterCases) {
  test(`reads Retry-After "${header}" as ${waitMs} ms`, () => {
    assert.equal(parseRetryAfter(header, retryAfterNow), waitMs);
  });
}
