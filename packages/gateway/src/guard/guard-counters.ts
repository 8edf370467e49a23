/**
 * Where a guard's counts are kept. A small port: an application puts its store
 * behind it, so that counts survive a restart and hold for all its processes.
 */

import { type Clock, systemClock } from "../clock.ts";

/** What is counted in addition. */
export interface GuardAddition {
  /**
   * Up to 200 characters: a rule's name, a space, and whose count it is. The
   * latter may be a phone number, so hash it before it is kept.
   */
  readonly key: string;
  /** 1 to 1,000,000,000. */
  readonly by: number;
  /** The counter must not come to more; absent: it may. */
  readonly limit?: number;
  /** The counter ends so long after it was begun, in milliseconds. */
  readonly windowMs: number;
}

/** Counters that end by themselves; one that is not there counts 0. */
export interface GuardCounters {
  /** In the order of the keys, 1000 at most. */
  read(keys: readonly string[]): Promise<readonly number[]>;
  /**
   * Makes 1000 additions at most, all or none, each to another key, and answers
   * what their counters come to; `undefined` when one would exceed its limit.
   */
  add(
    additions: readonly GuardAddition[],
  ): Promise<readonly number[] | undefined>;
}

/** The key of a rule's counter. @param parts whose count it is */
export function toGuardKey(
  rule: string,
  ...parts: readonly (string | number)[]
): string {
  return `${rule} ${JSON.stringify(parts)}`;
}

/** Additions, and keys, of one call. */
export const maxGuardKeys = 1000;

/** Counters kept in memory at most; those that were begun first go. */
const maxCounters = 500_000;

/** Keeps counts in memory: of this process, and until it ends. */
export class MemoryGuardCounters implements GuardCounters {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #counters = new Map<string, { count: number; endsAt: number }>();

  constructor(clock: Pick<Clock, "monotonic"> = systemClock) {
    this.#clock = clock;
  }

  async read(keys: readonly string[]): Promise<number[]> {
    return keys.map((key) => this.#find(key)?.count ?? 0);
  }

  async add(
    additions: readonly GuardAddition[],
  ): Promise<number[] | undefined> {
    const exceeds = additions.some(
      ({ key, by, limit = Number.POSITIVE_INFINITY }) =>
        (this.#find(key)?.count ?? 0) + by > limit,
    );
    if (exceeds) return undefined;
    return additions.map(({ key, by, windowMs }) => {
      const known = this.#find(key);
      if (known !== undefined) {
        known.count += by;
        return known.count;
      }
      const endsAt = this.#clock.monotonic() + windowMs;
      // Behind all others, also where one of that key has ended.
      this.#counters.delete(key);
      this.#counters.set(key, { count: by, endsAt });
      this.#dropSome();
      return by;
    });
  }

  #find(key: string) {
    const counter = this.#counters.get(key);
    return counter !== undefined && this.#clock.monotonic() < counter.endsAt
      ? counter
      : undefined;
  }

  #dropSome(): void {
    for (const [key, { endsAt }] of this.#counters) {
      const isOver = endsAt <= this.#clock.monotonic();
      if (!isOver && this.#counters.size <= maxCounters) return;
      this.#counters.delete(key);
    }
  }
}
