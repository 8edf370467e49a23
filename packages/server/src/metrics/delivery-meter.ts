/** Counts attempts and outcomes of deliveries as they are written. */

import {
  type DeliveryListener,
  type DeliveryState,
  deliveryStates,
  type ErrorClass,
  errorClasses,
  isSettled,
  type Protocol,
  type Protocols,
  type WrittenDelivery,
} from "@carillon/core";
import { deliveryBounds, Histogram } from "./histogram.ts";

export interface AttemptCount {
  readonly protocol: Protocol;
  readonly state: DeliveryState;
  /** Empty where the attempt succeeded, `other` for a class there is not. */
  readonly errorClass: string;
  readonly count: number;
}

export interface DeliveryDuration {
  readonly protocol: Protocol;
  /** Empty for protocols without providers. */
  readonly provider: string;
  readonly state: DeliveryState;
  readonly histogram: Histogram;
}

type Counts = Map<string, number>;

/** Providers that are told apart; those beyond are `other`. */
const maxProviders = 50;

/** Failures that are written without an attempt. */
const withoutAttempt: ReadonlySet<ErrorClass | undefined> = new Set<ErrorClass>(
  ["filtered", "guard", "expired", "no_channel"],
);

export class DeliveryMeter implements DeliveryListener {
  /** By protocol and state. */
  readonly #outcomes = new Map<Protocol, Map<DeliveryState, number>>();
  readonly #retries = new Map<Protocol, number>();
  /** By protocol and state, and then by error class. */
  readonly #attempts = new Map<Protocol, Map<DeliveryState, Counts>>();
  readonly #durations = new Map<string, DeliveryDuration>();
  readonly #providers = new Set<string>();

  constructor({ all }: Pick<Protocols, "all">) {
    for (const { name: protocol } of all) {
      // All from the start: what rises from nothing is no increase.
      this.#outcomes.set(
        protocol,
        new Map(deliveryStates.map((state) => [state, 0])),
      );
      this.#retries.set(protocol, 0);
      this.#attempts.set(
        protocol,
        new Map(deliveryStates.map((state) => [state, new Map()])),
      );
    }
  }

  onWritten(deliveries: readonly WrittenDelivery[]): void {
    for (const delivery of deliveries) this.#note(delivery);
  }

  /** It came to its end in a mailbox, without an attempt of ours. */
  noteSettled(protocol: Protocol, state: DeliveryState): void {
    increment(this.#outcomes.get(protocol), state);
  }

  #note({ item, outcome, isWithoutAttempt }: WrittenDelivery): void {
    const { state, attempts, lastAttempt } = outcome;
    const { protocol } = item.recipient;
    increment(this.#outcomes.get(protocol), state);
    if (isWithoutAttempt || lastAttempt === undefined || attempts === 0) return;
    const { errorClass, at, durationMs } = lastAttempt;
    // Cancelled: its last attempt was counted when it was made.
    if (withoutAttempt.has(errorClass) || state === "cancelled") return;
    increment(
      this.#attempts.get(protocol)?.get(state),
      errorClass === undefined ? "" : nameOf(errorClass),
    );
    if (attempts > 1) increment(this.#retries, protocol);
    if (!isSettled(state)) return;
    const { createdAt } = item.message;
    const provider = outcome.provider ?? lastAttempt.provider ?? "";
    this.#histogram(protocol, provider, state).observe(
      Math.max(0, at + durationMs - createdAt) / 1000,
    );
  }

  #histogram(
    protocol: Protocol,
    provider: string,
    state: DeliveryState,
  ): Histogram {
    const key = `${protocol} ${state} ${provider}`;
    const known = this.#durations.get(key);
    if (known) return known.histogram;
    const isApart =
      this.#providers.has(provider) || this.#providers.size < maxProviders;
    if (!isApart && provider !== other) {
      return this.#histogram(protocol, other, state);
    }
    this.#providers.add(provider);
    const histogram = new Histogram(deliveryBounds);
    this.#durations.set(key, { protocol, provider, state, histogram });
    return histogram;
  }

  outcomes(): readonly {
    readonly protocol: Protocol;
    readonly state: DeliveryState;
    readonly count: number;
  }[] {
    return [...this.#outcomes].flatMap(([protocol, states]) =>
      [...states].map(([state, count]) => ({ protocol, state, count })),
    );
  }

  attempts(): readonly AttemptCount[] {
    return [...this.#attempts].flatMap(([protocol, states]) =>
      [...states].flatMap(([state, counts]) =>
        [...counts].map(([errorClass, count]) => ({
          protocol,
          state,
          errorClass,
          count,
        })),
      ),
    );
  }

  retries(): readonly {
    readonly protocol: Protocol;
    readonly count: number;
  }[] {
    return [...this.#retries].map(([protocol, count]) => ({ protocol, count }));
  }

  durations(): readonly DeliveryDuration[] {
    return [...this.#durations.values()];
  }
}

const other = "other";

const knownClasses: ReadonlySet<string> = new Set(errorClasses);

function nameOf(errorClass: string): string {
  return knownClasses.has(errorClass) ? errorClass : other;
}

function increment<Key>(counts: Map<Key, number> | undefined, key: Key): void {
  counts?.set(key, (counts.get(key) ?? 0) + 1);
}
