/** Time as an argument, so that waits of days are tested in milliseconds. */

import { type EpochMs, toEpochMs } from "../time.ts";

/**
 * The time, and timers that run on it. Core has no other source of either.
 */
export interface Clock {
  /** What people call the time. May be set forward and back while we run. */
  now(): EpochMs;
  /**
   * Milliseconds since an instant of the clock's choice, with a fraction. Nobody
   * sets it: for leases, deadlines and durations.
   */
  monotonic(): number;
  /**
   * Calls `run` once after `ms` milliseconds of monotonic time, unless
   * cancelled before.
   */
  setTimer(ms: number, run: () => void): Timer;
  /**
   * Resolves in the next turn of the event loop, after I/O had its chance. A
   * loop that awaits what may have settled already goes through here.
   */
  nextTurn(): Promise<void>;
}

/** A timer that was set and has not fired. */
export interface Timer {
  cancel(): void;
}

/** The machine's clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => toEpochMs(Date.now()),
  monotonic: () => performance.now(),
  setTimer(ms, run) {
    // setTimeout counts in a 32-bit integer; a longer wait would fire at once.
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
};
