/**
 * Counts of what must not happen too often, for all processes on a store
 * together. A counter ends by itself; one that is not there counts 0.
 */

/** What is counted. Each kind has a bound of its own. */
export const counterKinds = [
  "wrong_code",
  "refused_login",
  "sms_guard",
  "interval",
] as const;

export type CounterKind = (typeof counterKinds)[number];

/** How counters of a kind count. */
export interface CounterRule {
  readonly kind: CounterKind;
  /** How long a counter lasts, in milliseconds: 1 up to 31 days. */
  readonly windowMs: number;
  /** It lasts so long after what was counted last, in place of first. */
  readonly isSliding: boolean;
  /** Counters of the kind that are kept at most: those that end first go. */
  readonly maxCounters: number;
}

/** What is counted in addition. */
export interface CounterAddition {
  /**
   * 1 to 64 letters, digits, `-` and `_`: a hash, never what it stands for. See
   * {@link KeyedHash}.
   */
  readonly key: string;
  /** How many: 1 to 1,000,000,000. */
  readonly by: number;
  /** How long this one lasts. Default: as the rule says. */
  readonly windowMs?: number;
  /** How long ago the last of them was; default 0, less than the window. */
  readonly agoMs?: number;
  /** Nothing of the change is made when the counter has reached this. */
  readonly max?: number;
}

export interface CounterChange {
  /** Counters that begin anew, before anything is added. */
  readonly removed?: readonly string[];
  readonly added: readonly CounterAddition[];
}

/** A counter as it stands, in durations of the store's time. */
export interface Counter {
  readonly count: number;
  /** Since what was counted last. */
  readonly sinceLastMs: number;
  readonly endsInMs: number;
}

/** Names what is counted in a row that nobody can read it from. */
export type KeyedHash = (...parts: readonly string[]) => string;

/** Windows begin and end on the store's clock, whichever process counts. */
export interface CounterStore {
  /**
   * Makes a change of 1000 keys at most, all or nothing, and answers the
   * counters it added to, in their order; `undefined` when one of them had
   * reached its `max`. A few counters that have ended go with it.
   *
   * @throws CarillonError STORAGE_REFUSED for what is out of bounds
   */
  changeCounters(
    rule: CounterRule,
    change: CounterChange,
  ): Promise<readonly Counter[] | undefined>;
  /** In the order of the keys; `undefined` for those that are not there. */
  readCounters(
    kind: CounterKind,
    keys: readonly string[],
  ): Promise<readonly (Counter | undefined)[]>;
  /** Removes counters that have ended, `limit` at most; answers how many. */
  removeEndedCounters(limit: number): Promise<number>;
}
