/**
 * Time as an argument, so that waits and windows can be tested at once. The
 * part of core's Clock that the gateway needs: any clock of a server, and the
 * manual one of the tests, serves here too.
 */

/** The time, and timers that run on it. */
export interface Clock {
  /** Milliseconds since the epoch. May be set forward and back while we run. */
  now(): number;
  /**
   * Milliseconds since an instant of the clock's choice, with a fraction. Nobody
   * sets it: for deadlines and durations.
   */
  monotonic(): number;
  /** Calls `run` once after `ms` milliseconds, unless cancelled before. */
  setTimer(ms: number, run: () => void): Timer;
}

/** A timer that was set and has not fired. */
export interface Timer {
  cancel(): void;
}

/** The machine's. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(ms, run) {
    // Longer waits would overflow the timer's 31 bits and fire at once.
    const timer: unknown = setTimeout(run, Math.min(ms, 0x7fffffff));
    if (hasUnref(timer)) timer.unref();
    return {
      // A number in browsers, an object in Node; both are what it takes.
      cancel: () => clearTimeout(timer as ReturnType<typeof setTimeout>),
    };
  },
};

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === "object" && timer !== null && "unref" in timer;
}
