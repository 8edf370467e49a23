import assert from "node:assert/strict";
import { test } from "node:test";
import { isForMessages } from "./delivery-job.ts";

test("a cancellation is for whole messages only by message, topic and time, in all its states", () => {
  const states = ["retrying", "waiting"] as const;
  assert.equal(isForMessages("cancel", { states }), true);
  assert.equal(isForMessages("cancel", { states, topicSeq: 1 }), true);
  assert.equal(isForMessages("cancel", { states: ["waiting"] }), false);
  assert.equal(isForMessages("cancel", { states: ["retrying"] }), false);
  assert.equal(isForMessages("resend", { states }), false);
  for (const ofDeliveries of [
    { protocol: "sms" },
    { endpoint: "x" },
    { errorClass: "timeout" as const },
    { provider: "x" },
  ]) {
    assert.equal(isForMessages("cancel", { states, ...ofDeliveries }), false);
  }
});
