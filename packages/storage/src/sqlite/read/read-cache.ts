/**
 * Remembers what was read lately: publishing asks for the same few topics and
 * bindings again and again. No other process writes; what this one writes makes
 * it forget, so it never tells what is no longer so.
 */

export class ReadCache<Value> {
  readonly #known = new Map<string, Value | undefined>();
  readonly #maxEntries: number;

  constructor(maxEntries = 1000) {
    this.#maxEntries = maxEntries;
  }

  /** Remembers that there is nothing, too. */
  get(key: string, read: () => Value | undefined): Value | undefined {
    const kept = this.#known.get(key);
    if (kept !== undefined || this.#known.has(key)) return kept;
    const value = read();
    if (this.#known.size >= this.#maxEntries) this.#known.clear();
    this.#known.set(key, value);
    return value;
  }

  /** Forgets once a write has ended, before its caller hears of it. */
  afterWrite<Result>(write: Promise<Result>): Promise<Result> {
    return write.finally(() => this.#known.clear());
  }
}
