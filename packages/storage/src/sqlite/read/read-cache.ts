/**
 * Caches what was read lately: publishing reads the same few topics and bindings
 * again and again. No other process writes, and each write of this one clears
 * the cache, so it never answers what is out of date.
 */

export class ReadCache<Value> {
  readonly #cached = new Map<string, Value | undefined>();
  readonly #maxEntries: number;

  constructor(maxEntries = 1000) {
    this.#maxEntries = maxEntries;
  }

  /** Caches that there is nothing, too. */
  get(key: string, read: () => Value | undefined): Value | undefined {
    const kept = this.#cached.get(key);
    if (kept !== undefined || this.#cached.has(key)) return kept;
    const value = read();
    if (this.#cached.size >= this.#maxEntries) this.#cached.clear();
    this.#cached.set(key, value);
    return value;
  }

  /** Clears once a write has ended, before its caller goes on. */
  afterWrite<Result>(write: Promise<Result>): Promise<Result> {
    return write.finally(() => this.#cached.clear());
  }
}
