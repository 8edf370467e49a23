/** The numbers whose texts were held most, of this process and of late. */

/** A number, or the prefix of several, and how many of its texts were held. */
export interface HeldNumber {
  readonly digits: string;
  readonly count: number;
}

/** Kept at most; the one that was not held for longest goes. */
const maxNumbers = 1000;

const dayMs = 24 * 3_600_000;

export class HeldNumbers {
  readonly #counts = new Map<string, { count: number; at: number }>();

  /** @param now steady milliseconds */
  note(digits: string, now: number): void {
    const count = (this.#counts.get(digits)?.count ?? 0) + 1;
    this.#counts.delete(digits);
    this.#counts.set(digits, { count, at: now });
    for (const [oldest, { at }] of this.#counts) {
      if (this.#counts.size <= maxNumbers && now - at < dayMs) return;
      this.#counts.delete(oldest);
    }
  }

  /** Those held within a day, most first. */
  top(limit: number, now: number): HeldNumber[] {
    return [...this.#counts]
      .filter(([, { at }]) => now - at < dayMs)
      .map(([digits, { count }]) => ({ digits, count }))
      .sort((a, b) => b.count - a.count)
      .slice(0, limit);
  }
}
