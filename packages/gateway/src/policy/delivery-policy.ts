/**
 * A delivery policy at work: finds the rule for a message, orders its providers,
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
import {
  chooseSender,
  drawAtRandom,
  drawByRecipient,
  orderProviders,
} from "./order-providers.ts";
import {
  type DeliveryPolicyData,
  type PolicyProvider,
  type PolicyRule,
  parseDeliveryPolicy,
  problemWithPolicyProviders,
} from "./policy-data.ts";
import type { FailoverEvent } from "./receipt-failover.ts";
import { parseRouteLine, providersOf, type RouteTree } from "./route-line.ts";

/** The sources of time and chance; the system's own by default. */
export interface DeliveryPolicyOptions {
  readonly clock?: Pick<Clock, "monotonic">;
  /** From 0 up to, not including, 1. */
  readonly random?: () => number;
  /**
   * The policy whose place it takes. Its sources of time and chance, its hook
   * and, while `breaker` is the same, its breakers are this one's too.
   */
  readonly replaces?: DeliveryPolicy | undefined;
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
  readonly onFailover: Hook<FailoverEvent>;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #random: () => number;
  readonly #rules: readonly PreparedRule[];
  readonly #providers: ReadonlyMap<string, PolicyProvider>;
  readonly #breakers: Map<string, Breaker>;

  /** Throws `ConfigurationError` if the data is not a valid policy. */
  constructor(data: DeliveryPolicyData, options: DeliveryPolicyOptions = {}) {
    this.data = parseDeliveryPolicy(data);
    this.#providers = new Map(Object.entries(this.data.providers ?? {}));
    this.#rules = this.data.rules.map(prepareRule);
    const { replaces } = options;
    const parts =
      replaces === undefined ? newParts() : replaces.#partsFor(this.data);
    this.#clock = options.clock ?? parts.clock;
    this.#random = options.random ?? parts.random;
    this.onFailover = parts.onFailover;
    this.#breakers = parts.breakers;
  }

  /** Draws from `random` unless the rule is sticky. */
  plan(message: OutgoingMessage): RoutePlan {
    const considered: RuleVerdict[] = [];
    for (const { rule, route, providers } of this.#rules) {
      const verdict = matchRule(rule, message);
      considered.push(verdict);
      if (!verdict.matched) continue;
      const draw = rule.sticky
        ? drawByRecipient(internationalDigits(message.dst))
        : drawAtRandom(this.#random);
      const candidates = orderProviders(route, draw).map((provider) => {
        const { senders, costPerSegment } = {
          ...this.#providers.get(provider),
          ...providers.get(provider),
        };
        const sender = chooseSender(provider, senders, draw);
        return {
          provider,
          ...(sender !== undefined && { sender }),
          ...(costPerSegment !== undefined && { costPerSegment }),
        };
      });
      return { rule: rule.name, candidates, considered };
    }
    return { rule: null, candidates: [], considered };
  }

  /** What every rule knows of a provider. */
  findProvider(provider: string): PolicyProvider | undefined {
    return this.#providers.get(provider);
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

  /** Names of the rules that may send through a provider. */
  rulesWith(provider: string): readonly string[] {
    return this.#rules
      .filter(({ route }) => providersOf(route).includes(provider))
      .map(({ rule }) => rule.name);
  }

  /** Throws `ConfigurationError` if it names a provider that there is not. */
  checkProviders(registered: Iterable<string>): void {
    const problem = problemWithPolicyProviders(this.data, registered);
    if (problem === undefined) return;
    throw new ConfigurationError(`The delivery policy uses ${problem}`);
  }

  /** What a policy that takes this one's place goes on with. */
  #partsFor({ breaker }: DeliveryPolicyData): PolicyParts {
    const isSame =
      JSON.stringify(breaker) === JSON.stringify(this.data.breaker);
    return {
      clock: this.#clock,
      random: this.#random,
      onFailover: this.onFailover,
      breakers: isSame ? this.#breakers : new Map(),
    };
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

interface PolicyParts {
  readonly clock: Pick<Clock, "monotonic">;
  readonly random: () => number;
  readonly onFailover: Hook<FailoverEvent>;
  readonly breakers: Map<string, Breaker>;
}

function newParts(): PolicyParts {
  return {
    clock: systemClock,
    random: Math.random,
    onFailover: new Hook(),
    breakers: new Map(),
  };
}

interface PreparedRule {
  readonly rule: PolicyRule;
  readonly route: RouteTree;
  readonly providers: ReadonlyMap<string, PolicyProvider>;
}

function prepareRule(rule: PolicyRule): PreparedRule {
  const providers = new Map(Object.entries(rule.providers ?? {}));
  return { rule, route: parseRouteLine(rule.use), providers };
}

/** Whether a failure says something about the provider, not about the text. */
export function isProvidersFault(error: unknown): boolean {
  return (
    error instanceof ProviderConnectionError ||
    error instanceof ServerError ||
    error instanceof LimitsError ||
    error instanceof AuthError ||
    error instanceof CreditError ||
    // What it says cannot be read, or it says nothing.
    (error instanceof ProviderError && error.outcomeUnknown)
  );
}
