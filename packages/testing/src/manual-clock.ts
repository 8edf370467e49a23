/**
 * A clock that stands still until it is told to move, so that waits of days
 * pass in no time and in a known order.
 */

import type { Clock, Timer } from "@carillon/core";

interface WaitingTimer {
  readonly at: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #now: number;
  /** In the order they were set. */
  readonly #timers = new Set<WaitingTimer>();

  /** `start`: milliseconds since the epoch. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, run: () => void): Timer {
    const timer: WaitingTimer = { at: this.#now + Math.max(ms, 0), run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** When the next timer fires; `undefined` when none is set. */
  get nextTimerAt(): number | undefined {
    return this.#first()?.at;
  }

  /**
   * Moves on by `ms` milliseconds. Timers that fall due fire in order of their
   * instants, each seeing its own instant as now; timers they set fire too if
   * they fall due before the end.
   */
  advance(ms: number): void {
    this.set(this.#now + ms);
  }

  /** Moves to an instant; backwards too, which fires nothing. */
  set(instant: number): void {
    for (;;) {
      const timer = this.#first();
      if (timer === undefined || timer.at > instant) break;
      this.#timers.delete(timer);
      // A clock that was set back fires late, never in its own past.
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
    }
    this.#now = instant;
  }

  /**
   * Like {@link advance}, but lets promises settle before each timer and at
   * the end: for code that sets its next timer after an `await`.
   */
  async advanceSettled(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.nextTimerAt;
      if (next === undefined || next > end) break;
      this.set(Math.max(next, this.#now));
      await settle();
    }
    this.set(end);
    await settle();
  }

  /** The timer that fires next; the one set first when two are equal. */
  #first(): WaitingTimer | undefined {
    let first: WaitingTimer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.at < first.at) first = timer;
    }
    return first;
  }
}

/** Every promise that can settle without I/O has settled after this. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
