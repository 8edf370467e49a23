/**
 * Confirming by a short code in place of a link. A code is easily guessed: it
 * counts together with topic and endpoint, and few wrong ones are taken. They
 * are counted in the store, for all processes on it together.
 */

import type {
  Counter,
  CounterRule,
  CounterStore,
  KeyedHash,
} from "../ports/counter-store.ts";

export const verificationCodePattern = /^\d{6}$/;

/** Wrong codes a sender may try for an endpoint in a window. */
const maxWrong = 5;
/**
 * Wrong codes for an endpoint in a window, whoever sends them. Beyond it only
 * senders without a wrong one are heard, once each: many addresses guess no
 * faster then, and who has the code still gets in.
 */
const maxWrongOfAll = 100;

const rule: CounterRule = {
  kind: "wrong_code",
  windowMs: 3_600_000,
  isSliding: false,
  maxCounters: 20_000,
};

/** The counters of who sends a code: its own, and that of all who do. */
export interface WrongCodeKeys {
  readonly sender: string;
  readonly all: string;
}

/**
 * Whether another code counts. Stores ask it in the transaction that confirms:
 * of guesses that are made at once, by whichever processes, as many count as of
 * guesses one after the other.
 */
export function mayTryCode(
  ofSender: Pick<Counter, "count"> | undefined,
  ofAll: Pick<Counter, "count"> | undefined,
): boolean {
  const max = (ofAll?.count ?? 0) < maxWrongOfAll ? maxWrong : 1;
  return (ofSender?.count ?? 0) < max;
}

/**
 * Counts wrong codes for each endpoint and sender: a stranger's guesses do not
 * keep out whom the code was sent to.
 */
export class CodeGuard {
  readonly #store: CounterStore;
  readonly #hash: KeyedHash;

  constructor(store: CounterStore, hash: KeyedHash) {
    this.#store = store;
    this.#hash = hash;
  }

  /** Which counters codes for an endpoint count in. */
  keysOf(endpoint: string, sender: string): WrongCodeKeys {
    return {
      sender: this.#hash(endpoint, sender),
      all: this.#hash(endpoint),
    };
  }

  /** Whether the sender may try a code now; spares the store further ones. */
  async mayTry({ sender, all }: WrongCodeKeys): Promise<boolean> {
    const [ofSender, ofAll] = await this.#store.readCounters(rule.kind, [
      sender,
      all,
    ]);
    return mayTryCode(ofSender, ofAll);
  }

  /** Of a sender that has used up its tries nothing more is counted. */
  async countWrong({ sender, all }: WrongCodeKeys): Promise<void> {
    await this.#store.changeCounters(rule, {
      added: [
        { key: sender, by: 1, max: maxWrong },
        { key: all, by: 1 },
      ],
    });
  }
}
