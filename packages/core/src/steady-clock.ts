/**
 * A clock that cannot be set. Waits and lives are durations, but they are kept
 * as instants: were an operator or NTP to set the machine's clock by an hour,
 * retries would come an hour late, or messages expire before their time.
 */

import type { Clock, Timer } from "./ports/clock.ts";
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
  return new SteadyClock(clock);
}

/** A class, for numbers in its fields are set in place; each delivery reads it. */
class SteadyClock implements Clock {
  readonly #clock: Clock;
  #steady: number;
  #readAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#steady = clock.now();
    this.#readAt = clock.monotonic();
  }

  now(): EpochMs {
    const monotonic = this.#clock.monotonic();
    const elapsed = monotonic - this.#readAt;
    const steady = this.#steady + elapsed;
    const difference = this.#clock.now() - steady;
    const most = elapsed * maxSlew;
    const isFar = difference > maxAheadMs || difference < -maxBehindMs;
    this.#readAt = monotonic;
    this.#steady =
      steady +
      (isFar ? difference : Math.min(Math.max(difference, -most), most));
    return toEpochMs(Math.floor(this.#steady));
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(ms: number, run: () => void): Timer {
    return this.#clock.setTimer(ms, run);
  }

  nextTurn(): Promise<void> {
    return this.#clock.nextTurn();
  }
}
