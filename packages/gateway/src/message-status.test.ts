import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageExpired,
  MessageStatus,
} from "./message-status.ts";

// Class, kind, accepted, delivered, expired, error, states, final.
// biome-ignore format: a table
const CASES = [
  [MessageStatus, "unknown", null, null, false, false, [], false],
  [MessageAccepted, "accepted", true, false, false, false, ["accepted"], false],
  [MessageDelivered, "delivered", true, true, false, false, ["accepted", "delivered"], true],
  [MessageExpired, "expired", true, false, true, false, ["accepted", "expired"], true],
  [MessageError, "error", true, false, false, true, ["accepted", "error"], true],
] as const;

for (const [
  Status,
  kind,
  accepted,
  delivered,
  expired,
  error,
  states,
  final,
] of CASES) {
  test(`${Status.name} says how far the message got`, () => {
    const status = new Status("1");
    assert.equal(status.kind, kind);
    assert.equal(status.accepted, accepted);
    assert.equal(status.delivered, delivered);
    assert.equal(status.expired, expired);
    assert.equal(status.error, error);
    assert.deepEqual([...status.states], states);
    assert.equal(status.isFinal, final);
  });
}

test("delivered and expired are accepted, an error is not", () => {
  assert.ok(new MessageDelivered("1") instanceof MessageAccepted);
  assert.ok(new MessageExpired("1") instanceof MessageAccepted);
  assert.ok(!(new MessageError("1") instanceof MessageAccepted));
  assert.ok(new MessageError("1") instanceof MessageStatus);
});

test("carries the carrier's code and text", () => {
  const rtime = new Date(0);
  const status = new MessageStatus("1", {
    rtime,
    statusCode: 4,
    status: "in queue",
    meta: { a: 1 },
  });
  assert.deepEqual(
    [status.statusCode, status.status, status.rtime, status.meta],
    [4, "in queue", rtime, { a: 1 }],
  );
});
