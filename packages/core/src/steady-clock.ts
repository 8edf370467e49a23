/**
 * A clock that cannot be set. Waits and lives are durations, but they are kept
 * as instants: were an operator or NTP to set the machine's clock by an hour,
 * retries would come an hour late, or messages expire before their time.
 */

import type { Clock } from "./ports/clock.ts";
import { type EpochMs, toEpochMs } from "./time.ts";

/** How much quicker or slower than time it may run to follow the machine. */
const maxSlew = 0.2;

const hour = 3_600_000;

/**
 * A clock so far ahead, in milliseconds, is believed at once: the machine has
 * slept, or was started before it knew the time. What waits is due the earlier.
 */
const maxAheadMs = 2 * hour;

/** One so far behind as well, though what waits is due the later. */
const maxBehindMs = 24 * hour;

/**
 * Goes on from what the clock said by monotonic time; when the clock was set, it
 * follows by a fifth of the time that passes. Never goes back, but for a
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
    if (difference > maxAheadMs || difference < -maxBehindMs)
      steady += difference;
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
