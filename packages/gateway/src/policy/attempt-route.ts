/**
 * One attempt at a time, for applications that keep a ledger of their own: which
 * provider is next for a message, given what was tried, and what may follow.
 */

import type { OutgoingMessage, ProviderChoice } from "../outgoing-message.ts";
import type { Provider } from "../provider.ts";
import { pausedError } from "../provider-sender.ts";
import type { ChosenRoute } from "./choose-route.ts";
import type {
  Admission,
  DeliveryPolicy,
  RouteCandidate,
} from "./delivery-policy.ts";

/** What was tried before. */
export interface TriedProvider {
  readonly provider?: string;
  /**
   * `deferred`, `rejected` and `suppressed` did not go out; all else did, or
   * may have: that provider is not chosen again.
   */
  readonly outcome?: string;
}

/**
 * Why no provider can be tried: none ever can, none at present, or the guard
 * holds the message.
 */
export interface NoAttemptRoute {
  readonly problem: "failed" | "wait" | "held";
  readonly error: string;
  /** How long to wait, in milliseconds. */
  readonly waitMs?: number;
  /** `paused`: until a provider is resumed, which is told by nobody here. */
  readonly waitReason?: "paused";
}

/** A provider that is not stopped before it is released. */
export interface HeldProvider {
  readonly provider: Provider;
  /** For the attempt, where the provider chooses ids. */
  readonly chosenId?: string;
  release(): void;
}

/** The providers of a gateway, for the choice of one. */
export interface AttemptProviders {
  has(name: string): boolean;
  isPaused(name: string): boolean;
  /** `undefined` when there is none of this name. */
  hold(name: string): HeldProvider | undefined;
}

/** The provider of one attempt, and what may follow it. */
export class AttemptRoute {
  readonly provider: string;
  readonly choice: ProviderChoice;
  /** The id that the message will have, where the provider chooses it. */
  readonly chosenId?: string;
  /** Messages that go to the provider in one request, at most. Absent: one. */
  readonly perRequest?: number;
  /** How often all providers were tried with this attempt, from 1. */
  readonly round: number;
  /** One that was tried less often was passed over: its breaker is open. */
  readonly passedOver: boolean;
  /** After an error, another one is left in this round. */
  readonly hasNext: boolean;
  /** Another one is tried after so long without a receipt, in milliseconds. */
  readonly silenceMs?: number;
  /** Another one is tried after a failed receipt. */
  readonly nextOnFailedReceipt: boolean;
  /** As the policy's rule gives it. */
  readonly costPerSegment?: number;
  /** That chose it; the gateway's own may have been replaced meanwhile. */
  readonly policy?: DeliveryPolicy;
  readonly #held: HeldProvider | undefined;
  readonly #admission: Admission | undefined;
  #isOver = false;

  constructor(
    route: Omit<
      AttemptRoute,
      | "release"
      | "ended"
      | "failed"
      | "applyTo"
      | "target"
      | "chosenId"
      | "perRequest"
    >,
    held: HeldProvider | undefined,
    admission?: Admission,
  ) {
    this.provider = route.provider;
    this.choice = route.choice;
    this.round = route.round;
    this.passedOver = route.passedOver;
    this.hasNext = route.hasNext;
    if (route.silenceMs !== undefined) this.silenceMs = route.silenceMs;
    this.nextOnFailedReceipt = route.nextOnFailedReceipt;
    if (route.costPerSegment !== undefined) {
      this.costPerSegment = route.costPerSegment;
    }
    if (route.policy !== undefined) this.policy = route.policy;
    this.#held = held;
    if (held?.chosenId !== undefined) this.chosenId = held.chosenId;
    const { batching } = held?.provider ?? {};
    if (batching !== undefined) this.perRequest = batching.maxTexts;
    this.#admission = admission;
  }

  /**
   * The provider itself, also when it was removed meanwhile. `undefined`: there
   * was none of that name, or the attempt is over.
   */
  get target(): Provider | undefined {
    return this.#isOver ? undefined : this.#held?.provider;
  }

  /** Sets what the rule gives a message that has no sender. */
  applyTo(message: OutgoingMessage): void {
    message.choice = this.choice;
    message.src ??= this.choice.sender ?? null;
  }

  /** The attempt is not made. Nothing once it was. */
  release(): void {
    this.#end()?.released();
  }

  /** The provider took the message. */
  ended(): void {
    this.#end()?.succeeded();
  }

  failed(error: unknown): void {
    this.#end()?.failed(error);
  }

  #end(): Admission | undefined {
    if (this.#isOver) return undefined;
    this.#isOver = true;
    this.#held?.release();
    return this.#admission;
  }
}

/** Characters of a name that was made up, in an error. */
const maxNameLength = 64;

/** Shortest wait for a breaker, in milliseconds. */
const minWaitMs = 1000;

/**
 * How long a paused provider is waited for unless it is resumed before; in
 * milliseconds. Only where nobody hears of that it is so long.
 */
const pausedWaitMs = 300_000;

/** Outcomes of attempts of which nothing went out. */
export const notSent: ReadonlySet<string | undefined> = new Set([
  "deferred",
  "rejected",
  "suppressed",
]);

/** Chooses among what `chooseRoute` offers, and asks the provider's breaker. */
export function routeAttempt(
  route: ChosenRoute,
  tried: readonly TriedProvider[],
  providers: AttemptProviders,
): AttemptRoute | NoAttemptRoute {
  if (route.by === null) {
    const error = "The gateway has no provider to send with.";
    return { problem: "wait", error };
  }
  if (route.by !== "policy") {
    const { by, provider } = route;
    if (by === "router" && !providers.has(provider)) {
      // Nobody corrects what a function answers: not the default in its place.
      const named = provider.slice(0, maxNameLength);
      const error = `The router named the provider "${named}", which there is not.`;
      return { problem: "failed", error };
    }
    if (providers.isPaused(provider)) return waitForPaused([route]);
    return new AttemptRoute(
      {
        provider,
        choice: { by, provider },
        round: tried.length + 1,
        passedOver: false,
        hasNext: false,
        nextOnFailedReceipt: false,
      },
      providers.hold(provider),
    );
  }
  return routeByPolicy(route, tried, providers);
}

function routeByPolicy(
  route: ChosenRoute & { readonly by: "policy" },
  tried: readonly TriedProvider[],
  providers: AttemptProviders,
): AttemptRoute | NoAttemptRoute {
  const { policy, rule } = route;
  const { onErrors = true, receipts } = policy.data.failover ?? {};
  const countOf = ({ provider }: RouteCandidate) =>
    tried.filter((it) => it.provider === provider).length;
  const mayBeTried = ({ provider }: RouteCandidate) =>
    providers.has(provider) &&
    tried.every((it) => it.provider !== provider || notSent.has(it.outcome));
  const left = route.candidates.filter(mayBeTried);
  if (left.length === 0) {
    const error = `No provider of rule "${rule}" is left to try.`;
    return { problem: "failed", error };
  }
  const candidates = left.filter((it) => !providers.isPaused(it.provider));
  if (candidates.length === 0) return waitForPaused(left);
  if (onErrors) candidates.sort((a, b) => countOf(a) - countOf(b));
  const found = admitFirst(candidates, policy);
  if (found === undefined) {
    const { message, retryAfterMs = 0 } = policy.unavailable(candidates);
    const waitMs = Math.max(minWaitMs, retryAfterMs);
    return { problem: "wait", error: message, waitMs };
  }
  const { candidate, admission } = found;
  const { provider, sender, costPerSegment } = candidate;
  const count = countOf(candidate);
  const others = candidates.filter((it) => it !== candidate);
  return new AttemptRoute(
    {
      provider,
      choice: {
        by: "policy",
        provider,
        rule,
        ...(sender !== undefined && { sender }),
      },
      round: onErrors ? count + 1 : tried.length + 1,
      passedOver: onErrors && others.some((it) => countOf(it) < count),
      hasNext:
        onErrors &&
        others.some(
          (it) =>
            countOf(it) <= count && policy.breakerState(it.provider) !== "open",
        ),
      ...(others.length > 0 &&
        receipts?.silentMinutes !== undefined && {
          silenceMs: Math.ceil(receipts.silentMinutes * 60_000),
        }),
      nextOnFailedReceipt:
        others.length > 0 &&
        receipts !== undefined &&
        receipts.onFailed !== false,
      ...(costPerSegment !== undefined && { costPerSegment }),
      policy,
    },
    providers.hold(provider),
    admission,
  );
}

function waitForPaused(
  paused: readonly { readonly provider: string }[],
): NoAttemptRoute {
  return {
    problem: "wait",
    error: pausedError(paused).message,
    waitMs: pausedWaitMs,
    waitReason: "paused",
  };
}

function admitFirst(
  candidates: readonly RouteCandidate[],
  policy: DeliveryPolicy,
) {
  for (const candidate of candidates) {
    const admission = policy.admit(candidate.provider);
    if (admission !== undefined) return { candidate, admission };
  }
  return undefined;
}
