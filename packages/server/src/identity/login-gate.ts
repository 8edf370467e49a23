/**
 * Keeps log-ins from crowding each other out: a few passwords are hashed at
 * once and few wait, half of these for one address or one user. Failures of a
 * user from one address delay its further ones from there; other addresses are
 * not affected, so that a stranger cannot lock a user out. IPv6 addresses of one
 * /64 count as one. Counts are kept in memory, and a restart begins anew.
 */

import { type Clock, ConcurrencyLimit, networkOf } from "@carillon/core";
import { RequestError } from "../errors.ts";

/** Who tries to log in, from where. */
export interface LoginAttempt {
  /** The user as the request names it, existing or not. */
  readonly user: string;
  /** The client's IP address. */
  readonly address: string;
}

export interface LoginGate {
  /**
   * Runs the check of a password when it is its turn.
   *
   * @param check answers whether the password is right
   * @throws RequestError LOGIN_THROTTLED
   */
  run(attempt: LoginAttempt, check: () => Promise<boolean>): Promise<boolean>;
}

/** A hash takes a thread of Node's pool of four: others need some, too. */
const maxHashes = 2;
const maxWaiting = 32;
/** Of one address, and of one user, computed or waiting. */
const maxOfOne = maxWaiting / 2;

/** Failures without a wait; each further one doubles it. */
const freeFailures = 5;
const firstWaitMs = 1000;
const longestWaitMs = 5 * 60_000;
/** After this long without a failure they are forgotten. */
const forgetAfterMs = 15 * 60_000;
/** Pairs of user and address that failures are counted of. */
const maxPairs = 10_000;

export function createLoginGate(clock: Clock): LoginGate {
  const hashes = new ConcurrencyLimit({ max: maxHashes, maxWaiting });
  /** How many are computed or wait, by address and by user. */
  const present = new Map<string, number>();
  const failures = new FailureCounts(clock);

  function enter(key: string): void {
    present.set(key, (present.get(key) ?? 0) + 1);
  }

  function leave(key: string): void {
    const left = (present.get(key) ?? 0) - 1;
    if (left > 0) present.set(key, left);
    else present.delete(key);
  }

  return {
    async run({ user, address }, check) {
      const network = networkOf(address);
      const pair = JSON.stringify([user, network]);
      const waitMs = failures.waitMs(pair);
      if (waitMs > 0) throw throttled(waitMs);
      const keys = [`user ${user}`, `network ${network}`];
      const hasShare = keys.every((key) => (present.get(key) ?? 0) < maxOfOne);
      if (!hasShare || hashes.isFull) throw throttled(firstWaitMs);
      for (const key of keys) enter(key);
      try {
        const isRight = await hashes.run(check);
        if (isRight) failures.forget(pair);
        else failures.add(pair);
        return isRight;
      } finally {
        for (const key of keys) leave(key);
      }
    },
  };
}

function throttled(waitMs: number): RequestError {
  return new RequestError("LOGIN_THROTTLED", undefined, {
    retryAfterSeconds: Math.ceil(waitMs / 1000),
  });
}

class FailureCounts {
  readonly #clock: Clock;
  /** In the order of their last failure. */
  readonly #counts = new Map<string, { count: number; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the next attempt has to wait, in milliseconds; 0: not at all. */
  waitMs(key: string): number {
    const found = this.#find(key);
    if (found === undefined || found.count < freeFailures) return 0;
    const wait = Math.min(
      firstWaitMs * 2 ** (found.count - freeFailures),
      longestWaitMs,
    );
    return Math.max(0, found.at + wait - this.#clock.monotonic());
  }

  add(key: string): void {
    const count = (this.#find(key)?.count ?? 0) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, { count, at: this.#clock.monotonic() });
    if (this.#counts.size <= maxPairs) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      break;
    }
  }

  forget(key: string): void {
    this.#counts.delete(key);
  }

  #find(key: string): { count: number; at: number } | undefined {
    const found = this.#counts.get(key);
    if (found === undefined) return undefined;
    if (found.at + forgetAfterMs > this.#clock.monotonic()) return found;
    this.#counts.delete(key);
    return undefined;
  }
}
