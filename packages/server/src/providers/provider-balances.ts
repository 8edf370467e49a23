/** What is left on providers' accounts: asked when it is shown, and kept a minute. */

import type { Clock, EpochMs } from "@carillon/core";
import {
  type Balance,
  ConfigurationError,
  meaningOf,
  type Provider,
  ProviderError,
} from "@carillon/gateway";

/** What a carrier said, or why it said nothing. */
export type BalanceAnswer =
  | (Balance & { readonly at: EpochMs })
  | { readonly problem: string; readonly at: EpochMs };

const keptMs = 60_000;
const deadlineMs = 5000;

export class ProviderBalances {
  readonly #clock: Clock;
  readonly #answers = new WeakMap<
    Provider,
    { readonly askedAt: number; readonly answer: Promise<BalanceAnswer> }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `undefined` for a provider that cannot say. Never rejects. */
  async of(provider: Provider): Promise<BalanceAnswer | undefined> {
    if (provider.fetchBalance === undefined) return undefined;
    const now = this.#clock.monotonic();
    const known = this.#answers.get(provider);
    if (known && now - known.askedAt < keptMs) return await known.answer;
    const answer = this.#ask(provider);
    this.#answers.set(provider, { askedAt: now, answer });
    return await answer;
  }

  async #ask(provider: Provider): Promise<BalanceAnswer> {
    const late = new AbortController();
    const given = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(deadlineMs, () => {
      late.abort();
      given.reject(new Error(`no answer within ${deadlineMs / 1000} s`));
    });
    const at = this.#clock.now();
    try {
      const { signal } = late;
      // A provider need not heed the signal.
      const balance = await Promise.race([
        provider.fetchBalance?.({ signal }),
        given.promise,
      ]);
      if (balance === undefined) return { problem: "it says nothing", at };
      const { amount, currency } = balance;
      return { amount, ...(currency !== undefined && { currency }), at };
    } catch (error) {
      return { problem: problemOf(provider, error), at };
    } finally {
      timer.cancel();
    }
  }
}

/** Not the carrier's own words, which may hold anything. */
function problemOf(provider: Provider, error: unknown): string {
  if (error instanceof ProviderError) {
    const { code, name } = error;
    const meaning = meaningOf(provider, code, name);
    return code === undefined ? meaning : `${meaning} (${code})`;
  }
  if (error instanceof ConfigurationError) {
    return meaningOf(provider, undefined, error.name);
  }
  return error instanceof Error && error.message.startsWith("no answer")
    ? `There was ${error.message}.`
    : "The provider failed.";
}
