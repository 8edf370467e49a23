import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, MemoryStore, RecordingLogger } from "@carillon/testing";
import { IntervalTask } from "./interval-task.ts";

function setUp(intervalSeconds: () => number, run: () => Promise<void>) {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const store = new MemoryStore({ clock });
  const create = () =>
    new IntervalTask(
      { store, clock, logger },
      { name: "sms-batch", intervalSeconds, run },
    );
  return { clock, logger, create };
}

test("is done once each interval, by one of several nodes", async () => {
  let runs = 0;
  const { clock, create } = setUp(
    () => 60,
    async () => {
      runs++;
    },
  );
  const nodes = [create(), create(), create()];
  for (const node of nodes) node.start();
  for (let round = 1; round <= 5; round++) {
    await clock.advanceSettled(60_000);
    assert.equal(runs, round);
  }
  await Promise.all(nodes.map((node) => node.stop()));
  await clock.advanceSettled(600_000);
  assert.equal(runs, 5);
});

test("goes on after a failure, and says so", async () => {
  let runs = 0;
  const { clock, logger, create } = setUp(
    () => 10,
    async () => {
      runs++;
      throw new Error("No.");
    },
  );
  const task = create();
  task.start();
  await clock.advanceSettled(10_000);
  await clock.advanceSettled(10_000);
  assert.equal(runs, 2);
  assert.equal(logger.lines[0]?.event, "interval_task_failed");
  assert.equal(logger.lines[0]?.fields?.task, "sms-batch");
  await task.stop();
});

test("heeds an interval that changes, and 0 means never", async () => {
  let seconds = 0;
  let runs = 0;
  const { clock, create } = setUp(
    () => seconds,
    async () => {
      runs++;
    },
  );
  const task = create();
  task.start();
  await clock.advanceSettled(86_400_000);
  assert.equal(runs, 0);
  seconds = 5;
  task.replan();
  await clock.advanceSettled(5000);
  assert.equal(runs, 1);
  seconds = 0;
  task.replan();
  await clock.advanceSettled(86_400_000);
  assert.equal(runs, 1);
});

test("one round at a time, however often it is planned anew", async () => {
  const ends: (() => void)[] = [];
  const { clock, create } = setUp(
    () => 10,
    () => new Promise((resolve) => ends.push(resolve)),
  );
  const task = create();
  task.start();
  await clock.advanceSettled(10_000);
  task.replan();
  await clock.advanceSettled(60_000);
  assert.equal(ends.length, 1);

  ends[0]?.();
  await clock.advanceSettled(10_000);
  assert.equal(ends.length, 2);
  let isStopped = false;
  const stopped = task.stop().then(() => {
    isStopped = true;
  });
  await clock.advanceSettled(0);
  assert.equal(isStopped, false);
  ends[1]?.();
  await stopped;
});
