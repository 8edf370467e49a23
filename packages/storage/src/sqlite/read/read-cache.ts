/**
 * Caches what was read lately: publishing reads the same few rows again and
 * again. No other process writes, and the writer tells of a change before its
 * caller goes on, so what is cached is never out of date.
 */

import type { StoreChange, StoreChanges } from "@carillon/core";

export interface ReadCacheOptions<Key> {
  /**
   * What a change makes out of date: the entry of a key, `all` entries, or
   * nothing. Not asked of changes that may be any.
   */
  readonly staleBy: (
    change: Exclude<StoreChange, { kind: "all" }>,
  ) => { readonly key: Key } | "all" | undefined;
  /** About how many entries are kept. Default 4096. */
  readonly maxEntries?: number;
}

export class ReadCache<Key, Value> {
  #current = new Map<Key, Value>();
  /** What was cached when `#current` was last full; used ones move back. */
  #previous = new Map<Key, Value>();
  readonly #maxEntries: number;

  constructor(
    store: StoreChanges,
    { staleBy, maxEntries = 4096 }: ReadCacheOptions<Key>,
  ) {
    this.#maxEntries = maxEntries;
    // As long as the store is open.
    store.changes((change) => {
      const stale = change.kind === "all" ? "all" : staleBy(change);
      if (stale === undefined) return;
      if (stale === "all") {
        this.#current.clear();
        this.#previous.clear();
        return;
      }
      this.#current.delete(stale.key);
      this.#previous.delete(stale.key);
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
