import assert from "node:assert/strict";
import { test } from "node:test";
import { heldText, heldUntil } from "./held-message.ts";

const now = Date.UTC(2026, 0, 1);
const notBefore = "2026-01-01T02:30:00.000Z";

test("a message is held until its time has come", () => {
  const report = { notBefore, fannedOut: false };
  assert.equal(
    heldText(report, now),
    "Not sent before 2026-01-01 02:30:00 UTC, in 3 h.",
  );
  assert.equal(heldUntil(report, Date.parse(notBefore)), undefined);
});

test("a message without such a time, or that is under way, is not held", () => {
  assert.equal(heldText({ fannedOut: false }, now), undefined);
  assert.equal(heldText({ notBefore, fannedOut: true }, now), undefined);
});
