/**
 * Caches what was read lately: publishing reads the same few rows again and
 * again. No other process writes, and each operation that changes what is cached
 * here clears the cache before its caller goes on, so it is never out of date.
 */

import type { OperationName } from "../write/operations.ts";
import type { Writer } from "../write/writer.ts";

export interface ReadCacheOptions {
  /** The operations that change what is cached. */
  readonly changedBy: readonly OperationName[];
  /** About how many entries are kept. Default 4096. */
  readonly maxEntries?: number;
}

export class ReadCache<Key, Value> {
  #current = new Map<Key, Value>();
  /** What was cached when `#current` was last full; used ones move back. */
  #previous = new Map<Key, Value>();
  readonly #maxEntries: number;

  constructor(
    writer: Pick<Writer, "onWritten">,
    { changedBy, maxEntries = 4096 }: ReadCacheOptions,
  ) {
    this.#maxEntries = maxEntries;
    writer.onWritten(changedBy, () => {
      this.#current.clear();
      this.#previous.clear();
    });
  }

  /** `undefined` when it is not cached. */
  find(key: Key): Value | undefined {
    const cached = this.#current.get(key);
    if (cached !== undefined) return cached;
    const older = this.#previous.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: Key, value: Value): void {
    if (this.#current.size >= this.#maxEntries / 2) {
      this.#previous = this.#current;
      this.#current = new Map();
    }
    this.#current.set(key, value);
  }
}
