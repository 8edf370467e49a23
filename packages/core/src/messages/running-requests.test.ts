import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProjectId } from "../ids.ts";
import { RunningRequests } from "./running-requests.ts";

const first = {
  projectId: "1".repeat(32) as ProjectId,
  key: "k",
  fingerprint: "a",
  requestId: "r",
};

test("refuses a key whose request is running, until it has ended", async () => {
  const running = new RunningRequests();
  const gate = Promise.withResolvers<string>();
  const answer = running.run(first, () => gate.promise);
  const never = () => assert.fail("it was carried out");
  await assert.rejects(running.run(first, never), {
    code: "IDEMPOTENCY_KEY_RUNNING",
  });
  await assert.rejects(running.run({ ...first, fingerprint: "b" }, never), {
    code: "IDEMPOTENCY_KEY_REUSED",
  });
  for (const other of [
    { ...first, key: "k2" },
    { ...first, projectId: "2".repeat(32) as ProjectId },
  ]) {
    assert.equal(await running.run(other, async () => "other"), "other");
  }
  gate.resolve("first");
  assert.equal(await answer, "first");
  assert.equal(await running.run(first, async () => "again"), "again");
});

test("a request that failed leaves its key free", async () => {
  const running = new RunningRequests();
  const failure = new Error("it failed");
  const failing = running.run(first, () => Promise.reject(failure));
  await assert.rejects(failing, failure);
  assert.equal(await running.run(first, async () => "again"), "again");
});
