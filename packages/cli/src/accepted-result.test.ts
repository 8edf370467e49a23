import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptedResult } from "./accepted-result.ts";

test("says that a message is accepted, and until when it is held", () => {
  const published = { id: "m", isReplayed: false };
  assert.deepEqual(acceptedResult(published), {
    message: "Message m is accepted; see carillon deliveries m.",
    record: { message_id: "m" },
  });
  const { message } = acceptedResult(published, new Date("2999-01-01"));
  assert.match(
    message,
    / Not sent before 2999-01-01 00:00:00 UTC, in \d+ d\.$/,
  );
});

test("says that it was accepted before, and by what it was known", () => {
  const { message, record } = acceptedResult({ id: "m", isReplayed: true });
  assert.match(message, /^Message m was accepted before, .* idempotency key/);
  assert.deepEqual(record, { message_id: "m", replayed: true });
});
