/** Places of mails at their server, as many as connections to it. */

import { type Clock, systemClock } from "@carillon/core";
import { ByteBudget } from "./byte-budget.ts";

/** What a mail is taken to need before the first is over, in milliseconds. */
const firstGuessMs = 500;

/** What the newest mail counts for among all so far. */
const newestShare = 0.2;

/**
 * Whoever has a place has a connection: it waits for none at the server. Knows how
 * long mails need, and so how many are served in a time.
 */
export class MailPlaces {
  readonly #places: ByteBudget;
  readonly #count: number;
  readonly #clock: Pick<Clock, "monotonic">;
  /** Since when places are taken. */
  readonly #taken = new Set<{ readonly since: number }>();
  /** In milliseconds. */
  #usualMs = firstGuessMs;

  constructor(count: number, clock: Pick<Clock, "monotonic"> = systemClock) {
    this.#places = new ByteBudget(count);
    this.#count = count;
    this.#clock = clock;
  }

  /**
   * How many mails are served in so many milliseconds, as things are: those that
   * need long already count as they are.
   */
  servedIn(ms: number): number {
    const now = this.#clock.monotonic();
    let served = ((this.#count - this.#taken.size) * ms) / this.#usualMs;
    for (const { since } of this.#taken) {
      served += ms / Math.max(now - since, this.#usualMs);
    }
    return Math.floor(served);
  }

  /**
   * Resolves once there is a place; what is answered gives it back, once.
   *
   * @throws the signal's reason; then none is taken
   */
  async take(signal: AbortSignal): Promise<Disposable> {
    const place = await this.#places.take(1, signal);
    const entry = { since: this.#clock.monotonic() };
    this.#taken.add(entry);
    return {
      [Symbol.dispose]: () => {
        if (!this.#taken.delete(entry)) return;
        const ms = this.#clock.monotonic() - entry.since;
        this.#usualMs += (Math.max(ms, 1) - this.#usualMs) * newestShare;
        place[Symbol.dispose]();
      },
    };
  }
}
