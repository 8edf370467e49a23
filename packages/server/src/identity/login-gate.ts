/**
 * Keeps log-ins from crowding each other out. A few passwords are hashed at
 * once and few wait, half of these for one network, one routed block of
 * networks (whoever has one has many addresses) or one user name. Where
 * there is no place, a newcomer takes that of the newest who waits from the
 * network that holds most, unless its own network would then hold as many: so
 * who fills the queue crowds out himself. Failures of a user from one network
 * delay its further ones from there; other networks are not affected, so that
 * a stranger cannot lock a user out. A network is an IPv4 address or the /64 of
 * an IPv6 one. Counts are kept in memory, and a restart begins anew.
 */

import { hash } from "node:crypto";
import {
  type Clock,
  type ConcurrencyLimit,
  networkOf,
  routedBlockOf,
} from "@carillon/core";
import { RequestError } from "../errors.ts";

/**
 * Who tries to log in, from where. The same user, existing or not, has the same
 * name and domain however the request spells them.
 */
export interface LoginAttempt {
  readonly name: string;
  /** Absent when the request names a user without a domain. */
  readonly domain?: string | undefined;
  /**
   * The domain of the user that was found, if one was. Plays a part only once
   * its password was right.
   */
  readonly foundIn?: string | undefined;
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

/** Log-ins that are computed or wait. */
const maxPresent = 34;
/** Of one network, one block and one name, computed or waiting. */
const maxOfOne = 16;

/** Failures without a wait; each further one doubles it. */
const freeFailures = 5;
const firstWaitMs = 1000;
const longestWaitMs = 5 * 60_000;
/** After this long without a failure they are forgotten. */
const forgetAfterMs = 15 * 60_000;
/** Each failure counts in two: for its name, and for its domain as well. */
const maxCounts = 20_000;

/** A log-in that is computed or waits. */
interface Entrant {
  readonly name: string;
  readonly network: string;
  readonly block: string;
  isWaiting: boolean;
  /** Takes it out of the queue. */
  readonly expulsion: AbortController;
}

/** @param hashes where passwords of the whole process are hashed */
export function createLoginGate(
  clock: Clock,
  hashes: ConcurrencyLimit,
): LoginGate {
  /** In the order in which they came. */
  const present = new Set<Entrant>();
  const failures = new FailureCounts(clock);

  return {
    async run({ name, domain, foundIn, address }, check) {
      const network = networkOf(address);
      const account = { name, domain, network };
      const waitMs = failures.waitMs(account);
      if (waitMs > 0) throw throttled(waitMs);
      const entrant: Entrant = {
        name,
        network,
        block: routedBlockOf(address),
        isWaiting: true,
        expulsion: new AbortController(),
      };
      const expelled = makeRoom(present, entrant);
      if (expelled === undefined) throw throttled(firstWaitMs);
      for (const other of expelled) {
        present.delete(other);
        other.expulsion.abort(throttled(firstWaitMs));
      }
      present.add(entrant);
      try {
        const isRight = await hashes.run(check, {
          signal: entrant.expulsion.signal,
          onTaken() {
            entrant.isWaiting = false;
          },
        });
        if (isRight) failures.forget({ ...account, domain: foundIn });
        else failures.add(account);
        return isRight;
      } finally {
        present.delete(entrant);
      }
    },
  };
}

/**
 * Who has to go for the newcomer: nobody, if there is a place; `undefined`, if
 * there is none for it.
 */
function makeRoom(
  present: ReadonlySet<Entrant>,
  { name, network, block }: Entrant,
): readonly Entrant[] | undefined {
  const rest = new Set(present);
  const expelled: Entrant[] = [];
  const crowds = [
    {
      max: maxOfOne,
      isIn: (it: Entrant) => it.network === network,
      by: "name",
    },
    { max: maxOfOne, isIn: (it: Entrant) => it.block === block, by: "network" },
    { max: maxOfOne, isIn: (it: Entrant) => it.name === name, by: "network" },
    { max: maxPresent, isIn: () => true, by: "network" },
  ] as const;
  for (const { max, isIn, by } of crowds) {
    const crowd = [...rest].filter(isIn);
    if (crowd.length < max) continue;
    const newcomer = by === "name" ? name : network;
    const last = newestOfFullest(crowd, by, newcomer);
    if (last === undefined) return undefined;
    rest.delete(last);
    expelled.push(last);
  }
  return expelled;
}

/**
 * The newest who waits of those that hold most; `undefined` when they hold no
 * more than the newcomer's would with one more, so that nothing would be won.
 */
function newestOfFullest(
  crowd: readonly Entrant[],
  by: "name" | "network",
  newcomer: string,
): Entrant | undefined {
  const counts = new Map<string, number>();
  for (const { [by]: key } of crowd) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const held = (key: string) => counts.get(key) ?? 0;
  let found: Entrant | undefined;
  for (const entrant of crowd) {
    if (!entrant.isWaiting) continue;
    if (!found || held(entrant[by]) >= held(found[by])) found = entrant;
  }
  return found && held(found[by]) > held(newcomer) + 1 ? found : undefined;
}

function throttled(waitMs: number): RequestError {
  return new RequestError("LOGIN_THROTTLED", undefined, {
    retryAfterSeconds: Math.ceil(waitMs / 1000),
  });
}

interface Account {
  readonly name: string;
  readonly domain: string | undefined;
  readonly network: string;
}

/**
 * Counts failures of users. A name without a domain may mean the user of any
 * domain: its failures count for each, and those in any domain count for it.
 * Whether there is such a user plays no part, so that counts do not show it.
 */
class FailureCounts {
  readonly #clock: Clock;
  /** In the order of their last failure. */
  readonly #counts = new Map<string, { count: number; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the next attempt has to wait, in milliseconds; 0: not at all. */
  waitMs(account: Account): number {
    const { own, bare, whole } = keysOf(account);
    const keys = own === bare ? [whole] : [own, bare];
    let count = 0;
    let at = 0;
    for (const key of keys) {
      const found = this.#find(key);
      if (found === undefined) continue;
      count += found.count;
      at = Math.max(at, found.at);
    }
    if (count < freeFailures) return 0;
    const wait = Math.min(
      firstWaitMs * 2 ** (count - freeFailures),
      longestWaitMs,
    );
    return Math.max(0, at + wait - this.#clock.monotonic());
  }

  add(account: Account): void {
    const { own, whole } = keysOf(account);
    for (const key of [own, whole]) this.#increment(key);
  }

  /**
   * After a success of the user of that domain. Failures without a domain were
   * guesses at it, or at nobody if there are others of that name.
   */
  forget(account: Account): void {
    for (const key of Object.values(keysOf(account))) this.#counts.delete(key);
  }

  #increment(key: string): void {
    const count = (this.#find(key)?.count ?? 0) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, { count, at: this.#clock.monotonic() });
    if (this.#counts.size <= maxCounts) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      break;
    }
  }

  #find(key: string): { count: number; at: number } | undefined {
    const found = this.#counts.get(key);
    if (found === undefined) return undefined;
    if (found.at + forgetAfterMs > this.#clock.monotonic()) return found;
    this.#counts.delete(key);
    return undefined;
  }
}

/** Hashes, so that long names take no more memory than short ones. */
function keysOf({ name, domain, network }: Account) {
  const toKey = (...parts: readonly string[]) =>
    hash("sha256", JSON.stringify([network, name, ...parts]), "base64");
  const bare = toKey("without");
  return {
    /** Failures of just this name and domain. */
    own: domain === undefined ? bare : toKey("in", domain),
    /** Those of the name without a domain. */
    bare,
    /** All of that name. */
    whole: toKey(),
  };
}
