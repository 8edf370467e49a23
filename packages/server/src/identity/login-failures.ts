/**
 * Refused log-ins, counted for all processes on a store. What fails here counts
 * here at once, and is written within a second together with all else that
 * failed: however many passwords are tried, the store has one write a second of
 * it. So several processes take more tries than one only within that second. A
 * crash loses what was not written; a stop writes it.
 */

import {
  CarillonError,
  type Clock,
  type CounterRule,
  type CounterStore,
  type KeyedHash,
  type Logger,
  type Timer,
} from "@carillon/core";

/** Who was refused. The same user, existing or not, has one name and domain. */
export interface LoginAccount {
  readonly name: string;
  readonly domain: string | undefined;
  readonly network: string;
}

export interface LoginFailuresPorts {
  readonly store: CounterStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names accounts in the store: they could be guessed from a plain hash. */
  readonly hash: KeyedHash;
}

/** Failures without a wait; each further one doubles it. */
const freeFailures = 5;
export const firstWaitMs = 1000;
const longestWaitMs = 5 * 60_000;
/** After this long without a failure they are forgotten. */
const forgetAfterMs = 15 * 60_000;
/** Each failure counts in two: for its name, and for its domain as well. */
const maxCounts = 20_000;

const rule: CounterRule = {
  kind: "refused_login",
  windowMs: forgetAfterMs,
  isSliding: true,
  maxCounters: maxCounts,
};

/** Between two writes. */
const writeIntervalMs = 1000;
/** Counts of one write; the others wait for the next. */
const maxWritten = 500;

/** What is known of a count here. */
interface Count {
  /** As the store has it, or will once what is being written is. */
  kept: number;
  /** Failures that the store is still to be told. */
  unwritten: number;
  /** Of the last failure, in the clock's monotonic time. */
  at: number;
  /** It began anew, and the store is still to be told. */
  isRemoved: boolean;
}

/**
 * Counts failures of users. A name without a domain may mean the user of any
 * domain: its failures count for each, and those in any domain count for it.
 * Whether there is such a user plays no part, so that counts do not show it.
 */
export class LoginFailures implements AsyncDisposable {
  readonly #ports: LoginFailuresPorts;
  /** In the order of their last failure. */
  readonly #counts = new Map<string, Count>();
  /** Keys of what the store is still to be told. */
  readonly #unwritten = new Set<string>();
  #timer: Timer | undefined;
  /** Never rejects; answers whether it was written. */
  #writing: Promise<boolean> | undefined;
  /** Writes that were begun. */
  #writes = 0;
  #isFailing = false;

  constructor(ports: LoginFailuresPorts) {
    this.#ports = ports;
  }

  /**
   * How long the next attempt has to wait, in milliseconds; 0: not at all. By
   * what is known here: `load` asks the store.
   */
  waitMs(account: LoginAccount): number {
    const { own, bare, whole } = this.#keysOf(account);
    const keys = own === bare ? [whole] : [own, bare];
    let count = 0;
    let at = 0;
    for (const key of keys) {
      const found = this.#find(key);
      if (found === undefined || isEmpty(found)) continue;
      count += found.kept + found.unwritten;
      at = Math.max(at, found.at);
    }
    if (count < freeFailures) return 0;
    const wait = Math.min(
      firstWaitMs * 2 ** (count - freeFailures),
      longestWaitMs,
    );
    return Math.max(0, at + wait - this.#now());
  }

  /**
   * Learns what other processes have counted. One read, of as many keys whether
   * or not there is such a user.
   *
   * @param foundIn the domain of the user that was found, if one was
   */
  async load(
    account: LoginAccount,
    foundIn: string | undefined,
  ): Promise<void> {
    const { own, bare, whole } = this.#keysOf(account);
    const found = this.#keysOf({ ...account, domain: foundIn ?? "" }).own;
    const keys = [own, bare, whole, found];
    for (;;) {
      await this.#writing;
      const writes = this.#writes;
      const counters = await this.#ports.store.readCounters(rule.kind, keys);
      // What was read would be older than what is kept.
      if (writes !== this.#writes) continue;
      const now = this.#now();
      for (const [n, key] of keys.entries()) {
        const counter = counters[n];
        this.#learn(
          key,
          counter && { count: counter.count, at: now - counter.sinceLastMs },
        );
      }
      return;
    }
  }

  add(account: LoginAccount): void {
    const { own, whole } = this.#keysOf(account);
    for (const key of [own, whole]) {
      const count = this.#find(key) ?? emptyCount();
      count.unwritten++;
      count.at = this.#now();
      this.#put(key, count);
      this.#unwritten.add(key);
    }
    this.#plan();
  }

  /**
   * After a success of the user of that domain. Failures without a domain were
   * guesses at it, or at nobody if there are others of that name. Writes nothing
   * where there were none, as far as `load` has learnt.
   */
  forget(account: LoginAccount): void {
    for (const key of Object.values(this.#keysOf(account))) {
      const count = this.#find(key);
      if (count === undefined) continue;
      this.#delete(key);
      if (count.kept === 0 && !count.isRemoved) continue;
      this.#put(key, { ...emptyCount(), at: this.#now(), isRemoved: true });
      this.#unwritten.add(key);
    }
    if (this.#unwritten.size > 0) this.#plan();
  }

  /** Writes what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    while (this.#unwritten.size > 0) {
      if (!(await this.#write())) return;
    }
  }

  #learn(
    key: string,
    kept: { readonly count: number; readonly at: number } | undefined,
  ): void {
    const known = this.#find(key);
    // The store is still to be told that it began anew.
    if (known?.isRemoved) return;
    if (!kept) {
      if (known) known.kept = 0;
      if (known?.unwritten === 0) this.#delete(key);
      return;
    }
    const count = known ?? emptyCount();
    count.at = isEmpty(count) ? kept.at : Math.max(count.at, kept.at);
    count.kept = kept.count;
    if (!known) this.#put(key, count);
  }

  #plan(): void {
    if (this.#timer || this.#writing) return;
    this.#timer = this.#ports.clock.setTimer(writeIntervalMs, () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#unwritten.size > 0) this.#plan();
      });
    });
  }

  async #write(): Promise<boolean> {
    const { store } = this.#ports;
    const now = this.#now();
    const written = [...this.#unwritten].slice(0, maxWritten).flatMap((key) => {
      this.#unwritten.delete(key);
      const count = this.#find(key);
      if (!count) return [];
      const { unwritten: by, isRemoved } = count;
      // As if it were written: what is counted meanwhile is counted on top.
      count.kept += by;
      count.unwritten = 0;
      count.isRemoved = false;
      return [{ key, count, by, isRemoved, agoMs: Math.ceil(now - count.at) }];
    });
    if (written.length === 0) return true;
    this.#writes++;
    try {
      await store.changeCounters(rule, {
        removed: written.flatMap((it) => (it.isRemoved ? it.key : [])),
        added: written.flatMap(({ key, by, agoMs }) =>
          by > 0 ? { key, by, agoMs: Math.min(agoMs, forgetAfterMs - 1) } : [],
        ),
      });
      this.#isFailing = false;
      for (const { key, count } of written) {
        const isKnown = this.#counts.get(key) === count;
        if (isKnown && isEmpty(count)) this.#delete(key);
      }
      return true;
    } catch (error) {
      for (const { key, count, by, isRemoved } of written) {
        // Else it has been forgotten since.
        if (this.#counts.get(key) !== count) continue;
        count.kept -= by;
        count.unwritten += by;
        count.isRemoved ||= isRemoved;
        this.#unwritten.add(key);
      }
      this.#onFailure(error);
      return false;
    }
  }

  /** Says once that it fails, not each second while a disk is full. */
  #onFailure(error: unknown): void {
    const isClosed =
      error instanceof CarillonError && error.code === "SHUTTING_DOWN";
    if (this.#isFailing || isClosed) return;
    this.#isFailing = true;
    this.#ports.logger.warn("login_failures_not_kept", { error });
  }

  #put(key: string, count: Count): void {
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size <= maxCounts) return;
    for (const oldest of this.#counts.keys()) {
      this.#delete(oldest);
      break;
    }
  }

  #find(key: string): Count | undefined {
    const found = this.#counts.get(key);
    if (found === undefined) return undefined;
    if (found.at + forgetAfterMs > this.#now()) return found;
    this.#delete(key);
    return undefined;
  }

  #delete(key: string): void {
    this.#counts.delete(key);
    this.#unwritten.delete(key);
  }

  #now(): number {
    return this.#ports.clock.monotonic();
  }

  /** Hashes, so that long names take no more memory than short ones. */
  #keysOf({ name, domain, network }: LoginAccount) {
    const { hash } = this.#ports;
    const bare = hash(network, name, "without");
    return {
      /** Failures of just this name and domain. */
      own: domain === undefined ? bare : hash(network, name, "in", domain),
      /** Those of the name without a domain. */
      bare,
      /** All of that name. */
      whole: hash(network, name),
    };
  }
}

function isEmpty({ kept, unwritten }: Count): boolean {
  return kept + unwritten === 0;
}

function emptyCount(): Count {
  return { kept: 0, unwritten: 0, at: 0, isRemoved: false };
}
