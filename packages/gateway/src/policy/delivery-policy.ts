/**
 * A delivery policy at work: finds the rule for a message, orders its targets,
 * and decides from the errors of providers which one is next. It sends
 * nothing itself; the gateway does.
 */

import { type Clock, systemClock } from "../clock.ts";
import {
  AuthError,
  ConfigurationError,
  CreditError,
  LimitsError,
  ProviderConnectionError,
  ProviderError,
  RequestError,
  ServerError,
} from "../errors.ts";
import { Hook } from "../hook.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import { internationalDigits } from "../phone-number.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import { matchRule, type RuleVerdict } from "./match-rule.ts";
import { orderTargets } from "./order-targets.ts";
import { type DeliveryPolicyData, parseDeliveryPolicy } from "./policy-data.ts";
import type { FailoverEvent } from "./receipt-failover.ts";

/** The sources of time and chance; the system's own by default. */
export interface DeliveryPolicyOptions {
  readonly clock?: Pick<Clock, "monotonic">;
  /** From 0 up to, not including, 1. */
  readonly random?: () => number;
}

/** A provider that a rule offers for a message. */
export interface RouteCandidate {
  readonly provider: string;
  /** For messages that bring no sender. */
  readonly sender?: string;
  readonly costPerSegment?: number;
}

/** The providers for one message, and how they were found. */
export interface RoutePlan {
  /** Null when no rule matched. */
  readonly rule: string | null;
  /** In the order in which they are used. */
  readonly candidates: readonly RouteCandidate[];
  /** Every rule that was looked at, up to the one that matched. */
  readonly considered: readonly RuleVerdict[];
}

/** Leave for one attempt at a provider; its outcome must be reported. */
export interface Admission {
  succeeded(): void;
  failed(error: unknown): void;
  /** The attempt was not made. */
  released(): void;
}

/** All providers of a rule are failing; none was tried. */
export class NoProviderAvailableError extends ProviderError {
  static {
    NoProviderAvailableError.prototype.name = "NoProviderAvailableError";
  }
  static override readonly retryableByDefault: boolean = true;
}

/** Chooses providers by rules, and the next one when one fails. */
export class DeliveryPolicy {
  readonly data: DeliveryPolicyData;
  /** A message was sent again because of a receipt, or its absence. */
  readonly onFailover = new Hook<FailoverEvent>();
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #random: () => number;
  readonly #breakers = new Map<string, Breaker>();

  /** Throws `ConfigurationError` if the data is not a valid policy. */
  constructor(data: DeliveryPolicyData, options: DeliveryPolicyOptions = {}) {
    this.data = parseDeliveryPolicy(data);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /** Draws from `random` unless the rule is sticky. */
  plan(message: OutgoingMessage): RoutePlan {
    const considered: RuleVerdict[] = [];
    const recipient = internationalDigits(message.dst);
    for (const rule of this.data.rules) {
      const verdict = matchRule(rule, message);
      considered.push(verdict);
      if (!verdict.matched) continue;
      const ordered = orderTargets(rule, recipient, this.#random);
      const candidates = ordered.map(({ target, sender }) => ({
        provider: target.provider,
        ...(sender === undefined ? {} : { sender }),
        ...(target.costPerSegment === undefined
          ? {}
          : { costPerSegment: target.costPerSegment }),
      }));
      return { rule: rule.name, candidates, considered };
    }
    return { rule: null, candidates: [], considered };
  }

  /** Undefined while the provider's breaker is open. */
  admit(provider: string): Admission | undefined {
    const pass = this.#breaker(provider).admit();
    if (pass === undefined) return undefined;
    return {
      succeeded: () => pass.succeeded(),
      released: () => pass.released(),
      failed: (error) => {
        if (isProvidersFault(error)) pass.failed();
        else pass.released();
      },
    };
  }

  breakerState(provider: string): BreakerState {
    return this.#breakers.get(provider)?.state ?? "closed";
  }

  /** Whether another provider may be tried after this error. */
  shouldFailOver(error: unknown): boolean {
    const { onErrors = true, onUnknownOutcome = false } =
      this.data.failover ?? {};
    if (!onErrors || !(error instanceof ProviderError)) return false;
    // What is wrong with the message is wrong with every provider.
    if (error instanceof RequestError) return false;
    return !error.outcomeUnknown || onUnknownOutcome;
  }

  /** The error for a rule whose providers all have open breakers. */
  unavailable(candidates: readonly RouteCandidate[]): NoProviderAvailableError {
    const waits = candidates.map((c) => this.#breaker(c.provider).probeInMs);
    return new NoProviderAvailableError(
      "All providers of the rule fail at present: " +
        candidates.map((c) => c.provider).join(", "),
      { code: "NO_PROVIDER_AVAILABLE", retryAfterMs: Math.min(...waits) },
    );
  }

  /** Throws `ConfigurationError` if a rule names a provider that is not. */
  checkProviders(isRegistered: (name: string) => boolean): void {
    const missing = this.data.rules.flatMap((rule) =>
      rule.use
        .filter((target) => !isRegistered(target.provider))
        .map((target) => `"${target.provider}" in rule "${rule.name}"`),
    );
    if (missing.length === 0) return;
    throw new ConfigurationError(
      `The delivery policy uses unknown providers: ${missing.join(", ")}`,
    );
  }

  #breaker(provider: string): Breaker {
    let breaker = this.#breakers.get(provider);
    if (breaker === undefined) {
      breaker = new Breaker(this.data.breaker ?? {}, this.#clock);
      this.#breakers.set(provider, breaker);
    }
    return breaker;
  }
}

/** Whether a failure says something about the provider, not about the text. */
export function isProvidersFault(error: unknown): boolean {
  return (
    error instanceof ProviderConnectionError ||
    error instanceof ServerError ||
    error instanceof LimitsError ||
    error instanceof AuthError ||
    error instanceof CreditError
  );
}
