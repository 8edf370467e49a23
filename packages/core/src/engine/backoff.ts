/** Waits between attempts at something of our own that failed for now. */

export interface BackoffOptions {
  /** The first wait, doubled for each further one; milliseconds. */
  readonly firstMs: number;
  readonly maxMs: number;
}

const defaults: BackoffOptions = { firstMs: 250, maxMs: 5000 };

export class Backoff {
  readonly #random: () => number;
  readonly #options: BackoffOptions;
  #failures = 0;

  /** `random` answers a number in [0, 1). */
  constructor(random: () => number, options: Partial<BackoffOptions> = {}) {
    this.#random = random;
    this.#options = { ...defaults, ...options };
  }

  /** The next wait in milliseconds: up to half of it is by chance. */
  next(): number {
    const { firstMs, maxMs } = this.#options;
    const full = Math.min(firstMs * 2 ** this.#failures, maxMs);
    this.#failures++;
    return full * (0.5 + this.#random() / 2);
  }

  /** It worked: the next wait is the first one again. */
  reset(): void {
    this.#failures = 0;
  }
}
