/**
 * Confirming by a short code in place of a link. A code is easily guessed: it
 * counts together with topic and endpoint, and few wrong ones are taken.
 */

import type { EpochMs } from "../time.ts";

export const verificationCodePattern = /^\d{6}$/;

/** Wrong codes a sender may try for an endpoint in a window. */
const maxWrong = 5;
/**
 * Wrong codes for an endpoint in a window, whoever sends them. Beyond it only
 * senders without a wrong one are heard, once each: many addresses guess no
 * faster then, and who has the code still gets in.
 */
const maxWrongOfAll = 100;
const windowMs = 3_600_000;
/** Counters that are kept; beyond it the oldest go. */
const maxCounters = 20_000;

/**
 * Counts wrong codes for each endpoint and sender: a stranger's guesses do not
 * keep out whom the code was sent to.
 */
export class CodeGuard {
  readonly #wrong = new Map<string, { count: number; since: EpochMs }>();

  /**
   * Whether the sender may try another code for the endpoint. The try counts
   * as a wrong one from now on, so that many at once are not all let through.
   */
  take(endpoint: string, sender: string, now: EpochMs): boolean {
    const own = this.#count(keyOf(endpoint, sender), now);
    const all = this.#count(endpoint, now);
    if (own >= (all < maxWrongOfAll ? maxWrong : 1)) return false;
    this.#add(endpoint, 1, now);
    this.#add(keyOf(endpoint, sender), 1, now);
    return true;
  }

  /** The code of a try that was taken was right. */
  giveBack(endpoint: string, sender: string, now: EpochMs): void {
    this.#add(endpoint, -1, now);
    this.#add(keyOf(endpoint, sender), -1, now);
  }

  #count(key: string, now: EpochMs): number {
    const known = this.#wrong.get(key);
    return known && now - known.since < windowMs ? known.count : 0;
  }

  #add(key: string, change: 1 | -1, now: EpochMs): void {
    const known = this.#count(key, now);
    const since = known === 0 ? now : (this.#wrong.get(key)?.since ?? now);
    const count = known + change;
    this.#wrong.delete(key);
    if (count <= 0) return;
    this.#wrong.set(key, { count, since });
    if (this.#wrong.size <= maxCounters) return;
    for (const oldest of this.#wrong.keys()) {
      this.#wrong.delete(oldest);
      break;
    }
  }
}

function keyOf(endpoint: string, sender: string): string {
  return `${sender} ${endpoint}`;
}
