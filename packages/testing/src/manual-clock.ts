/**
 * A clock that stands still until it is told to move, so that waits of days
 * pass in no time and in a known order.
 */

import {
  addMs,
  type Clock,
  type EpochMs,
  type Timer,
  toEpochMs,
} from "@carillon/core";

interface WaitingTimer {
  /** Monotonic. */
  readonly at: number;
  readonly run: () => void;
}

/**
 * A clock that a test moves: {@link ManualClock.advance} passes time,
 * {@link ManualClock.jump} sets what people call the time. Its timers keep no
 * process alive.
 */
export class ManualClock implements Clock {
  #monotonic = 0;
  /** What people call the time, at monotonic 0. */
  #origin: EpochMs;
  /** In the order they were set. */
  readonly #timers = new Set<WaitingTimer>();

  constructor(start: EpochMs = toEpochMs(Date.UTC(2026, 0, 1))) {
    this.#origin = start;
  }

  now(): EpochMs {
    // As with the machine's clock, instants are whole and monotonic time is not.
    return toEpochMs(this.#origin + Math.floor(this.#monotonic));
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimer(ms: number, run: () => void): Timer {
    const timer: WaitingTimer = { at: this.#monotonic + Math.max(ms, 0), run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** When the next timer fires; `undefined` when none is set. */
  get nextTimerAt(): EpochMs | undefined {
    const first = this.#first();
    return first && addMs(this.#origin, first.at);
  }

  /** The milliseconds until then. */
  get nextTimerInMs(): number | undefined {
    const first = this.#first();
    return first && Math.max(0, first.at - this.#monotonic);
  }

  /**
   * Moves on by `ms` milliseconds. Timers that fall due fire in order of their
   * instants, each seeing its own instant as now; timers they set fire too if
   * they fall due before the end.
   */
  advance(ms: number): void {
    this.#moveTo(this.#monotonic + ms);
  }

  /**
   * Time passes and nothing runs, as when the process is stopped; then all
   * timers that fell due fire, each at the end.
   */
  standStill(ms: number): void {
    this.#monotonic += ms;
    this.#moveTo(this.#monotonic);
  }

  /**
   * What an operator or NTP does: sets the time that people see, by `ms`
   * forward or (negative) back. Monotonic time and timers do not notice.
   */
  jump(ms: number): void {
    this.#origin = toEpochMs(this.#origin + ms);
  }

  /**
   * Like {@link advance}, but lets promises settle before each timer and at
   * the end: for code that sets its next timer after an `await`.
   */
  async advanceSettled(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const next = this.#first()?.at;
      if (next === undefined || next > end) break;
      this.#moveTo(Math.max(next, this.#monotonic));
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  #moveTo(end: number): void {
    for (;;) {
      const timer = this.#first();
      if (timer === undefined || timer.at > end) break;
      this.#timers.delete(timer);
      this.#monotonic = Math.max(this.#monotonic, timer.at);
      timer.run();
    }
    this.#monotonic = end;
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

/**
 * Every promise that can settle without I/O has settled after this, also those
 * that wait for some turns of the event loop.
 */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
