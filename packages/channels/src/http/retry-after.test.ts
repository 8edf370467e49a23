import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRetryAfter } from "./retry-after.ts";

const now = Date.UTC(2026, 0, 15, 8, 30, 0);
const day = 24 * 3_600_000;

for (const [header, expected] of [
  ["120", 120_000],
  [" 1 ", 1000],
  ["Thu, 15 Jan 2026 08:31:30 GMT", 90_000],
  ["Thursday, 15-Jan-26 08:30:10 GMT", 10_000],
  ["999999999999999999", day],
  ["Fri, 31 Dec 9999 23:59:59 GMT", day],
  ["0", undefined],
  ["Thu, 15 Jan 2026 08:29:59 GMT", undefined],
  ["", undefined],
  ["soon", undefined],
  ["-5", undefined],
  ["1.5", undefined],
  [undefined, undefined],
  [["30", "60"], 30_000],
] as const) {
  test(`reads Retry-After: ${header} as ${expected} ms`, () => {
    assert.equal(parseRetryAfter(header, now), expected);
  });
}
