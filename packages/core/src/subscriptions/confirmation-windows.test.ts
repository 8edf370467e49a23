import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addMs, toEpochMs } from "../time.ts";
import {
  type ConfirmationWindow,
  countConfirmation,
} from "./confirmation-windows.ts";

const limit = { max: 2, windowMs: 100, pauseMs: 0 };

test("a window opens with the first and ends after its time", () => {
  const first = countConfirmation([], [limit], toEpochMs(0));
  assert.deepEqual(first, [{ count: 1, endsAt: 100 }]);
  const second = countConfirmation(first ?? [], [limit], toEpochMs(50));
  assert.deepEqual(second, [{ count: 2, endsAt: 100 }]);
  assert.equal(
    countConfirmation(second ?? [], [limit], toEpochMs(99)),
    undefined,
  );
  assert.deepEqual(countConfirmation(second ?? [], [limit], toEpochMs(100)), [
    { count: 1, endsAt: 200 },
  ]);
});

test("the last one begins the pause, which may outlast the window", () => {
  const pausing = { ...limit, max: 1, pauseMs: 500 };
  const only = countConfirmation([], [pausing], toEpochMs(0));
  assert.deepEqual(only, [{ count: 1, endsAt: 500 }]);
});

test("one limit that is reached forbids it for all, and counts nothing", () => {
  const tight = { max: 1, windowMs: 100, pauseMs: 0 };
  const once = countConfirmation([], [limit, tight], toEpochMs(0)) ?? [];
  assert.equal(
    countConfirmation(once, [limit, tight], toEpochMs(1)),
    undefined,
  );
});

test("never more than `max` are sent within any window", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }),
      (max, windowMs, steps) => {
        let windows: readonly ConfirmationWindow[] = [];
        let now = toEpochMs(0);
        let opensAt = now;
        let sent = 0;
        for (const step of steps) {
          now = addMs(now, step);
          const counted = countConfirmation(
            windows,
            [{ max, windowMs, pauseMs: 0 }],
            now,
          );
          if (sent === 0 || now >= opensAt + windowMs) {
            opensAt = now;
            sent = 0;
          }
          assert.equal(counted !== undefined, sent < max);
          if (counted) {
            windows = counted;
            sent++;
          }
        }
      },
    ),
  );
});
