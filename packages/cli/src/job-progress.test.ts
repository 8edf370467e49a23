import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeliveryJob } from "@carillon/client";
import { jobLines, waitForJob } from "./job-progress.ts";

const job: DeliveryJob = {
  id: "j1",
  action: "resend",
  state: "running",
  reason: "it is\u001b[31m back",
  userName: "ada",
  total: 3,
  isTotalExact: true,
  done: 1,
  changed: 1,
  messages: 0,
  skipped: {},
  createdAt: "2026-01-01T00:00:00.000Z",
};

test("shows which deliveries were meant, and when", () => {
  const lines = jobLines({
    ...job,
    state: "done",
    filter: { topicUrn: "urn:t", states: ["failed", "expired"] },
    timeToLiveSeconds: 60,
    startedAt: "2026-01-01T00:00:01.000Z",
    finishedAt: "2026-01-01T00:00:02.000Z",
  });
  assert.deepEqual(lines, [
    "Job j1 (resend) by ada: it is [31m back",
    "done: 1 of 3 looked at, 1 changed",
    "  meant     topicUrn urn:t; states failed, expired",
    "  new life  60 s",
    "  made      2026-01-01 00:00:00",
    "  begun     2026-01-01 00:00:01",
    "  over      2026-01-01 00:00:02",
  ]);
  assert.equal(jobLines(job)[2], "  meant     all of the project");
});

test("waits until it is over, and fails as it failed", async () => {
  const jobs = (state: string) => ({
    async *watch(id: string) {
      yield { ...job, id };
      yield { ...job, id, state };
    },
  });
  assert.equal((await waitForJob(jobs("done"), job)).state, "done");
  await assert.rejects(
    waitForJob(jobs("failed"), job),
    /^\S+: Job j1 .*\nfailed/,
  );
});
