/**
 * Keeps log-ins from crowding each other out. A few passwords are hashed at
 * once and few wait, half of these for one network, one routed block of
 * networks (whoever has one has many addresses) or one user name. Where
 * there is no place, a newcomer takes that of the newest who waits from the
 * network that holds most, unless its own network would then hold as many: so
 * who fills the queue crowds out himself. Failures of a user from one network
 * delay its further ones from there; other networks are not affected, so that
 * a stranger cannot lock a user out. A network is an IPv4 address or the /64 of
 * an IPv6 one. Places are this process's own, for they guard its memory and its
 * threads; failures are counted for all processes on the store.
 */

import {
  type ConcurrencyLimit,
  networkOf,
  routedBlockOf,
} from "@carillon/core";
import { RequestError } from "../errors.ts";
import { firstWaitMs, type LoginFailures } from "./login-failures.ts";

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
  hashes: ConcurrencyLimit,
  failures: LoginFailures,
): LoginGate {
  /** In the order in which they came. */
  const present = new Set<Entrant>();

  return {
    async run({ name, domain, foundIn, address }, check) {
      const network = networkOf(address);
      const account = { name, domain, network };
      const checkWait = () => {
        const waitMs = failures.waitMs(account);
        if (waitMs > 0) throw throttled(waitMs);
      };
      // By what is known here: who has to wait costs the store nothing.
      checkWait();
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
        const checkInTurn = async () => {
          // In the place that it has, so that few ask the store at once.
          await failures.load(account, foundIn);
          checkWait();
          return await check();
        };
        const isRight = await hashes.run(checkInTurn, {
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
