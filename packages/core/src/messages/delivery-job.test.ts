import assert from "node:assert/strict";
import { test } from "node:test";
import { toEpochMs } from "../time.ts";
import { isForMessages, isNewerThanJob } from "./delivery-job.ts";

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

test("a job is kept off what happened after it was made, unless it cancels", () => {
  const [before, at, later] = [1, 2, 3].map(toEpochMs);
  assert.ok(at);
  const job = { action: "resend", createdAt: at } as const;
  assert.equal(isNewerThanJob(job, undefined, undefined), false);
  assert.equal(isNewerThanJob(job, at, before), false);
  assert.equal(isNewerThanJob(job, later, before), true);
  assert.equal(isNewerThanJob(job, before, later), true);
  const cancellation = { ...job, action: "cancel" } as const;
  assert.equal(isNewerThanJob(cancellation, later, later), false);
});
