/**
 * Keeps for a while what was looked up in the store. A look-up that was begun
 * before an invalidation is not kept: it may have read what the invalidation
 * is about. Entries age: that another node changed the store may not be told.
 */

import type { Clock } from "@carillon/core";

export interface CredentialCacheOptions {
  readonly clock: Clock;
  /** When it is full, what was looked up longest ago goes. */
  readonly maxEntries: number;
  readonly maxAgeMs: number;
}

/** `undefined` from a look-up means that there is no such thing: not kept. */
export class CredentialCache<Value extends object> {
  readonly #entries = new Map<string, { value: Value; staleAt: number }>();
  /** Callers at the same time share a look-up. */
  readonly #loading = new Map<string, Promise<Value | undefined>>();
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #maxAgeMs: number;
  /** Invalidations so far. */
  #generation = 0;

  constructor({ clock, maxEntries, maxAgeMs }: CredentialCacheOptions) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#maxAgeMs = maxAgeMs;
  }

  /** At once when it is cached; a failed look-up rejects and is not kept. */
  find(
    key: string,
    load: () => Promise<Value | undefined>,
  ): Value | undefined | Promise<Value | undefined> {
    return this.#get(key) ?? this.#loading.get(key) ?? this.#load(key, load);
  }

  /**
   * Looks all keys up anew from now on. To be called once the change is in the
   * store: what is looked up from then on has seen it.
   */
  invalidate(): void {
    this.invalidateWhere(() => true);
  }

  /** The same for what is meant of that is kept. */
  invalidateWhere(isMeant: (key: string, value: Value) => boolean): void {
    // Loads of others are not kept either: each costs another look at most.
    this.#generation++;
    this.#loading.clear();
    for (const [key, { value }] of this.#entries) {
      if (isMeant(key, value)) this.#entries.delete(key);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  #get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.staleAt > this.#clock.monotonic()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  #load(
    key: string,
    load: () => Promise<Value | undefined>,
  ): Promise<Value | undefined> {
    const generation = this.#generation;
    const staleAt = this.#clock.monotonic() + this.#maxAgeMs;
    const loading = load()
      .then((value) => {
        if (value && generation === this.#generation) {
          this.#set(key, value, staleAt);
        }
        return value;
      })
      .finally(() => {
        // Another load may have taken its place after an invalidation.
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
      });
    this.#loading.set(key, loading);
    return loading;
  }

  #set(key: string, value: Value, staleAt: number): void {
    // A map keeps the order of insertion: what goes first stays in front.
    this.#entries.delete(key);
    this.#entries.set(key, { value, staleAt });
    if (this.#entries.size <= this.#maxEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}
