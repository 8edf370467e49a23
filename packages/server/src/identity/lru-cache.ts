/**
 * Keeps what was looked up for a while. Entries age, because another node may
 * have revoked in the store what is remembered here.
 */

export class LruCache<Value> {
  readonly #entries = new Map<string, { value: Value; staleAt: number }>();
  readonly #maxEntries: number;
  readonly #maxAgeMs: number;
  #generation = 0;

  constructor(options: { maxEntries: number; maxAgeMs: number }) {
    this.#maxEntries = options.maxEntries;
    this.#maxAgeMs = options.maxAgeMs;
  }

  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A map keeps the order of insertion: the oldest use stays in front.
    this.#entries.delete(key);
    if (entry.staleAt <= now) return undefined;
    this.#entries.set(key, entry);
    return entry.value;
  }

  /**
   * @param generation as it was before the value was looked up: when all has
   * been forgotten since, the value may be of before, and is not kept
   */
  set(
    key: string,
    value: Value,
    now: number,
    generation = this.#generation,
  ): void {
    if (generation !== this.#generation) return;
    this.#entries.delete(key);
    this.#entries.set(key, { value, staleAt: now + this.#maxAgeMs });
    if (this.#entries.size <= this.#maxEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets all, and what is being looked up meanwhile. */
  clear(): void {
    this.#entries.clear();
    this.#generation++;
  }

  /** How often all was forgotten. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#entries.size;
  }
}
