import assert from "node:assert/strict";
import { test } from "node:test";
import { createCountingIds, ManualClock, MemoryStore } from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import type { ProjectId } from "../ids.ts";
import type { DeliveryActionStore } from "../ports/delivery-action-store.ts";
import { silentLogger } from "../ports/logger.ts";
import type { Store } from "../ports/store.ts";
import { addMs, toEpochMs } from "../time.ts";
import { createJobRunner } from "./job-runner.ts";

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const start = toEpochMs(Date.UTC(2026, 0, 1));

/** A store with unknown texts, and a job for them. */
async function setUp(
  count: number,
  changes: Partial<DeliveryActionStore> = {},
) {
  const clock = new ManualClock(start);
  const newId = createCountingIds();
  const kept = new MemoryStore({ clock });
  await kept.acceptDirectMessage(
    {
      id: newId(),
      projectId,
      audience: "direct",
      content: { kind: "text", text: "x" },
      createdAt: start,
      expiresAt: addMs(start, 60_000),
    },
    Array.from({ length: count }, (_, n) => ({
      protocol: "sms" as const,
      endpoint: `+1555${n}`,
      billable: true,
    })),
  );
  const { deliveries } = await kept.claim(
    { owner: "dead", leaseMs: 1 },
    { kinds: ["delivery"], limit: count },
  );
  await kept.recordIntents(
    deliveries.map(({ messageSeq, recipient: { target }, fence }) => ({
      messageSeq,
      target,
      fence,
      at: start,
    })),
  );
  await kept.reclaimAll();
  const store: Store = Object.assign(Object.create(kept), changes);
  const cancelled: string[] = [];
  const hints: string[] = [];
  const runner = createJobRunner(
    {
      store,
      dispatcher: {
        offer: (hint) => hints.push(hint.kind),
        broadcast: () => {},
        listen: () => () => {},
        close: async () => {},
      },
      clock,
      logger: silentLogger,
      random: () => 0.5,
      newId,
      rules: { lives: { sms: 4 * 3600 }, pullProtocols: [] },
      onCancelled: (id) => cancelled.push(id),
    },
    { limits: { maxMessages: 10, maxDeliveries: 2 } },
  );
  async function queue(
    action: "settle_failed" | "resend" | "cancel",
    shownFilter: Readonly<Record<string, unknown>> = {},
  ) {
    return await kept.createJob(
      {
        id: newId(),
        projectId,
        userId: "u",
        userName: "ada",
        action,
        filter: { states: ["unknown"] },
        shownFilter,
        reason: "r",
        total: count,
        isTotalExact: true,
        createdAt: start,
      },
      10,
    );
  }
  const jobOf = (id: string) => kept.findJob(projectId, id);
  return { clock, kept, runner, hints, cancelled, queue, jobOf };
}

/** Lets timers fire and turns pass until it is so. */
async function until(
  clock: ManualClock,
  isSo: () => Promise<boolean>,
): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if (await isSo()) return;
    await clock.nextTurn();
    clock.advance(100);
  }
  assert.fail("it did not come to be so");
}

test("works off one job after the other, and then waits for the next", async () => {
  const { clock, runner, queue, jobOf, hints } = await setUp(5);
  const first = await queue("settle_failed");
  const second = await queue("resend");
  runner.start();
  await until(clock, async () => (await jobOf(second.id))?.state === "done");
  assert.equal((await jobOf(first.id))?.changed, 5);
  assert.equal((await jobOf(second.id))?.done, 0);
  assert.deepEqual(hints, []);
  const third = await queue("settle_failed");
  runner.wake();
  await until(clock, async () => (await jobOf(third.id))?.state === "done");
  await runner.drain();
});

test("a resend says that deliveries are due", async () => {
  const { clock, runner, queue, jobOf, hints } = await setUp(3);
  const job = await queue("resend");
  runner.start();
  await until(clock, async () => (await jobOf(job.id))?.state === "done");
  assert.deepEqual(new Set(hints), new Set(["delivery"]));
  await runner.drain();
});

test("goes on after a failure that passes", async () => {
  let failures = 3;
  const world = await setUp(4, {
    async advanceJob(claim, step) {
      if (failures-- > 0) throw new CarillonError("STORAGE_FULL");
      return await world.kept.advanceJob(claim, step);
    },
  });
  const { clock, runner, queue, jobOf } = world;
  const job = await queue("settle_failed");
  runner.start();
  await until(clock, async () => (await jobOf(job.id))?.state === "done");
  assert.equal((await jobOf(job.id))?.changed, 4);
  await runner.drain();
});

test("a job that fails each time is over, and says why; the next one is not", async () => {
  let calls = 0;
  const world = await setUp(4, {
    async advanceJob(claim, step) {
      if (claim.job.action === "resend") {
        calls++;
        throw new CarillonError("STORAGE_REFUSED", "It is damaged.");
      }
      return await world.kept.advanceJob(claim, step);
    },
  });
  const { clock, runner, queue, jobOf } = world;
  const bad = await queue("resend");
  const good = await queue("settle_failed");
  runner.start();
  await until(clock, async () => (await jobOf(good.id))?.state === "done");
  const failed = await jobOf(bad.id);
  assert.deepEqual(
    [failed?.state, failed?.error],
    ["failed", "It is damaged."],
  );
  assert.equal(calls, 1);
  await runner.drain();
});

test("a drain gives the job back at once, and another runner goes on", async () => {
  const { clock, kept, runner, queue, jobOf } = await setUp(9);
  const job = await queue("settle_failed");
  runner.start();
  await until(clock, async () => ((await jobOf(job.id))?.changed ?? 0) > 0);
  await runner.drain();
  const { changed = 0, state } = (await jobOf(job.id)) ?? {};
  assert.equal(state, "running");
  assert.ok(changed < 9);
  const claim = await kept.claimJob({ owner: "b", leaseMs: 1000 }, start);
  assert.equal(claim?.job.id, job.id);
});

test("tells of messages that were cancelled, once that is done", async () => {
  const { clock, runner, queue, jobOf, cancelled } = await setUp(3);
  const messageId = "a".repeat(32);
  await queue("settle_failed", { messageId });
  await queue("cancel");
  const job = await queue("cancel", { messageId });
  runner.start();
  await until(clock, async () => (await jobOf(job.id))?.state === "done");
  await runner.drain();
  assert.deepEqual(cancelled, [messageId]);
});

test("a cancelled job is left at once", async () => {
  const { clock, kept, runner, queue, jobOf } = await setUp(9);
  const job = await queue("settle_failed");
  const next = await queue("settle_failed");
  runner.start();
  await until(clock, async () => ((await jobOf(job.id))?.changed ?? 0) > 0);
  await kept.cancelJob(projectId, job.id, start);
  await until(clock, async () => (await jobOf(next.id))?.state === "done");
  assert.equal((await jobOf(job.id))?.state, "cancelled");
  await runner.drain();
});
