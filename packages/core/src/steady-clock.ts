/**
 * A clock that cannot be set. Waits and lives are durations, but they are kept
 * as instants: were an operator or NTP to set the machine's clock by an hour,
 * retries would come an hour late, or messages expire before their time.
 */

import type { Clock } from "./ports/clock.ts";
import { type EpochMs, toEpochMs } from "./time.ts";

/** How much quicker or slower than time it may run to follow the machine. */
const maxSlew = 0.1;

/**
 * A difference beyond this many milliseconds is believed at once: the machine
 * was started with a clock that stood at some year, or has slept.
 */
const maxDifferenceMs = 24 * 3_600_000;

/**
 * Goes on from what the clock said by monotonic time; when the clock was set, it
 * follows by a tenth of the time that passes. Never goes back, but for a
 * difference of more than a day.
 */
export function createSteadyClock(clock: Clock): Clock {
  let steady: number = clock.now();
  let readAt = clock.monotonic();

  function now(): EpochMs {
    const monotonic = clock.monotonic();
    const elapsed = monotonic - readAt;
    readAt = monotonic;
    steady += elapsed;
    const difference = clock.now() - steady;
    if (Math.abs(difference) > maxDifferenceMs) steady += difference;
    else {
      const most = elapsed * maxSlew;
      steady += Math.min(Math.max(difference, -most), most);
    }
    return toEpochMs(Math.floor(steady));
  }

  return {
    now,
    monotonic: () => clock.monotonic(),
    setTimer: (ms, run) => clock.setTimer(ms, run),
    nextTurn: () => clock.nextTurn(),
  };
}
