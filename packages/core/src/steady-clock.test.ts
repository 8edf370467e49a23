import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import fc from "fast-check";
import { createSteadyClock } from "./steady-clock.ts";
import { toEpochMs } from "./time.ts";

const minute = 60_000;
const hour = 60 * minute;

test("says what the clock says while nobody sets it", () => {
  const clock = new ManualClock();
  const steady = createSteadyClock(clock);
  for (let n = 0; n < 100; n++) {
    clock.advance(n * 7.3);
    assert.ok(Math.abs(steady.now() - clock.now()) <= 1);
  }
});

for (const jump of [hour, -hour]) {
  test(`runs on when the clock is set by ${jump} ms, and follows slowly`, () => {
    const clock = new ManualClock();
    const steady = createSteadyClock(clock);
    const before = steady.now();
    clock.jump(jump);
    assert.equal(steady.now(), before);
    clock.advance(minute);
    const passed = steady.now() - before;
    assert.ok(passed >= 0.8 * minute - 1 && passed <= 1.2 * minute);
    clock.advance(11 * hour);
    assert.ok(Math.abs(steady.now() - clock.now()) <= 1);
  });
}

test("believes at once that the machine has slept for hours", () => {
  const clock = new ManualClock();
  const steady = createSteadyClock(clock);
  clock.jump(8 * hour);
  assert.equal(steady.now(), clock.now());
});

test("believes a difference of more than a day at once", () => {
  const clock = new ManualClock(toEpochMs(0));
  const steady = createSteadyClock(clock);
  clock.jump(50 * 365 * 24 * hour);
  assert.equal(steady.now(), clock.now());
});

test("never goes back, whatever the clock is set to within a day", () => {
  const step = fc.record({
    jump: fc.integer({ min: -11 * hour, max: hour }),
    advance: fc.double({ min: 0, max: hour, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const clock = new ManualClock();
      const steady = createSteadyClock(clock);
      const offset = () => clock.now() - steady.now();
      let last = steady.now();
      for (const { jump, advance } of steps) {
        const after = offset() + jump;
        if (after < hour && after > -23 * hour) clock.jump(jump);
        clock.advance(advance);
        const now = steady.now();
        assert.ok(now >= last, `${last} → ${now}`);
        assert.ok(now - last <= 1.2 * advance + 1);
        last = now;
      }
    }),
  );
});
