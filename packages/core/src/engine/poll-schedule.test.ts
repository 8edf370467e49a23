import assert from "node:assert/strict";
import { test } from "node:test";
import { addMs, toEpochMs } from "../time.ts";
import { defaultPollSchedule, nextPollAt } from "./poll-schedule.ts";

const sentAt = toEpochMs(Date.UTC(2026, 0, 1));
const hour = 3_600_000;

/** The waits until the end, in seconds, each asked as it falls due. */
function waitsWith(random: () => number, firstAfterMs = 30_000): number[] {
  const waits: number[] = [];
  let now = addMs(sentAt, firstAfterMs);
  for (;;) {
    const next = nextPollAt(defaultPollSchedule, { sentAt, now }, random);
    if (next === undefined) return waits;
    waits.push((next - now) / 1000);
    now = next;
  }
}

test("waits ever longer, then three hours each time, for three days in all", () => {
  const waits = waitsWith(() => 0);
  assert.deepEqual(waits.slice(0, 6), [60, 120, 300, 900, 3600, 10_800]);
  const total = waits.reduce((sum, wait) => sum + wait, 30);
  assert.equal(total, 72 * 3600);
  assert.ok(waits.slice(5, -1).every((wait) => wait === 10_800));
});

test("spreads by a fifth at most, and takes no step twice or too many", () => {
  for (const share of [0.3, 0.999]) {
    const waits = waitsWith(() => share).slice(0, 6);
    const steps = [60, 120, 300, 900, 3600, 10_800];
    for (const [n, step] of steps.entries()) {
      const wait = waits[n] ?? 0;
      const expected = step * (1 + 0.2 * share);
      assert.ok(Math.abs(wait - expected) < 0.01, `${share}: ${waits.join()}`);
    }
  }
});

test("goes on by the age of a text that was not asked about for long", () => {
  assert.deepEqual(waitsWith(() => 0, 20 * hour).slice(0, 2), [10_800, 10_800]);
});

test("a floor counts, but not beyond the end", () => {
  const now = addMs(sentAt, hour);
  const next = (floorMs: number) =>
    nextPollAt(defaultPollSchedule, { sentAt, now }, () => 0, floorMs);
  assert.equal(next(0), addMs(now, hour));
  assert.equal(next(5 * hour), addMs(now, 5 * hour));
  assert.equal(next(500 * hour), addMs(sentAt, 72 * hour));
  // By a clock that was set back.
  const early = { sentAt, now: addMs(sentAt, -hour) };
  assert.equal(
    nextPollAt(defaultPollSchedule, early, () => 0),
    addMs(sentAt, -hour + 30_000),
  );
});
