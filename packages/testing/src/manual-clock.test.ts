import assert from "node:assert/strict";
import { test } from "node:test";
import { toEpochMs } from "@carillon/core";
import { ManualClock } from "./manual-clock.ts";

test("stands still until it is moved", () => {
  const clock = new ManualClock(toEpochMs(1000));
  assert.equal(clock.now(), 1000);
  clock.advance(500);
  assert.equal(clock.now(), 1500);
  assert.equal(clock.monotonic(), 500);
});

test("fires timers when they are due, however the time is set", () => {
  const clock = new ManualClock(toEpochMs(1000));
  let fired = 0;
  clock.setTimer(10, () => fired++);
  clock.jump(-600);
  assert.deepEqual([clock.now(), clock.monotonic()], [400, 0]);
  clock.advance(9);
  assert.equal(fired, 0);
  clock.advance(1);
  assert.deepEqual([fired, clock.now()], [1, 410]);
});

test("fires timers in the order of their instants, each at its own", () => {
  const clock = new ManualClock(toEpochMs(0));
  const fired: [string, number][] = [];
  const set = (name: string, ms: number) =>
    clock.setTimer(ms, () => fired.push([name, clock.now()]));
  set("late", 30);
  set("first", 10);
  set("second", 10);
  set("beyond", 31);
  clock.advance(30);
  assert.deepEqual(fired, [
    ["first", 10],
    ["second", 10],
    ["late", 30],
  ]);
  assert.equal(clock.nextTimerAt, 31);
});

test("fires timers that timers set, if they fall due", () => {
  const clock = new ManualClock(toEpochMs(0));
  const fired: number[] = [];
  const tick = () => {
    fired.push(clock.now());
    clock.setTimer(10, tick);
  };
  clock.setTimer(10, tick);
  clock.advance(35);
  assert.deepEqual(fired, [10, 20, 30]);
});

test("does not fire what was cancelled", () => {
  const clock = new ManualClock(toEpochMs(0));
  const timer = clock.setTimer(10, () => assert.fail("It was cancelled."));
  timer.cancel();
  clock.advance(20);
  assert.equal(clock.nextTimerAt, undefined);
});

test("lets promises settle between timers when asked to", async () => {
  const clock = new ManualClock(toEpochMs(0));
  const ticks: number[] = [];
  const loop = async () => {
    for (;;) {
      await new Promise<void>((resolve) => clock.setTimer(10, resolve));
      ticks.push(clock.now());
    }
  };
  void loop();
  await clock.advanceSettled(35);
  assert.deepEqual(ticks, [10, 20, 30]);
  assert.equal(clock.now(), 35);
});
