/** Spreads mails over time, for servers that take only so many in a second. */

import { setTimeout as delay } from "node:timers/promises";

/** Each has its turn at an even distance from the one before, none ahead of it. */
export class MailPace {
  readonly #distanceMs: number;
  readonly #now: () => number;
  /** When the next one may go, by `now`. */
  #nextAt = 0;

  /** @param now milliseconds that never go back */
  constructor(mailsPerSecond: number, now = () => performance.now()) {
    this.#distanceMs = 1000 / mailsPerSecond;
    this.#now = now;
  }

  /**
   * Resolves when it is its turn; a turn that was given up is not given to another.
   *
   * @throws the signal's reason
   */
  async turn(signal: AbortSignal): Promise<void> {
    const waitMs = this.nextWaitMs();
    if (waitMs <= 0) return;
    await delay(waitMs, undefined, { signal });
  }

  /** Takes a turn, and answers how long it is until then. */
  nextWaitMs(): number {
    const now = this.#now();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#distanceMs;
    return at - now;
  }
}
