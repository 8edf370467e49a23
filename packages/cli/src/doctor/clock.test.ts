import assert from "node:assert/strict";
import { test } from "node:test";
import { checkClock, checkYear } from "./clock.ts";

test("a clock that was never set is found by its year", () => {
  assert.equal(checkYear(Date.UTC(1970, 0, 2))[0]?.result, "failed");
  assert.equal(checkYear(Date.UTC(2024, 11, 31))[0]?.result, "failed");
  assert.deepEqual(checkYear(Date.UTC(2025, 0, 1)), []);
});

test("clocks that differ are found, either way", () => {
  const now = Date.UTC(2026, 0, 1);
  const result = (seconds: number) =>
    checkClock("clock", new Date(now + seconds * 1000).toUTCString(), now)
      .result;
  for (const seconds of [0, 30, -30]) assert.equal(result(seconds), "ok");
  for (const seconds of [120, -120]) assert.equal(result(seconds), "warning");
  for (const seconds of [3600, -3600]) assert.equal(result(seconds), "failed");
  assert.equal(checkClock("clock", null, now).result, "skipped");
});
