/** Spreads mails over time, for servers that take only so many in a second. */

import { type Clock, systemClock, type Timer } from "@carillon/core";

/**
 * Each has its turn at an even distance from the one before, first come, first
 * served. Who stops waiting leaves the turn to the next.
 */
export class MailPace {
  readonly #distanceMs: number;
  readonly #clock: Pick<Clock, "monotonic" | "setTimer">;
  /** When the next one may go. */
  #nextAt = 0;
  /** The first is the next. */
  readonly #waiting = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(
    mailsPerSecond: number,
    clock: Pick<Clock, "monotonic" | "setTimer"> = systemClock,
  ) {
    this.#distanceMs = 1000 / mailsPerSecond;
    this.#clock = clock;
  }

  /**
   * Resolves when it is its turn.
   *
   * @throws the signal's reason; then no turn is taken
   */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = () => {
      this.#waiting.delete(start);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.add(start);
    if (this.#timer === undefined) this.#startNext();
    return promise;
  }

  /** Runs as long as anybody waits. */
  #startNext(): void {
    this.#timer = undefined;
    for (;;) {
      const [start] = this.#waiting;
      if (start === undefined) return;
      const now = this.#clock.monotonic();
      if (now < this.#nextAt) {
        const waitMs = this.#nextAt - now;
        this.#timer = this.#clock.setTimer(waitMs, () => this.#startNext());
        return;
      }
      // A timer that fires late takes nothing of the pace; none are saved up.
      const isLate = now - this.#nextAt < this.#distanceMs;
      this.#nextAt = (isLate ? this.#nextAt : now) + this.#distanceMs;
      this.#waiting.delete(start);
      start();
    }
  }
}
