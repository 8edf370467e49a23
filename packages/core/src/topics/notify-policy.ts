/**
 * Ordered escalation: the subscriptions of a topic that a policy names are
 * notified in rounds, the next one only if nobody of those before confirmed that
 * it was delivered. All other subscriptions get messages as usual.
 */

import { CarillonError } from "../errors.ts";
import type { SubscriptionId } from "../ids.ts";

/** The rounds in which the subscriptions of a topic are notified. */
export interface NotifyPolicy {
  /** `callnotify` where SMN's clients set it; it narrows nothing. */
  readonly protocol: string;
  /** In the order in which they begin. */
  readonly rounds: readonly NotifyRound[];
  /** How long a round may take to confirm before the next begins. */
  readonly roundSeconds: number;
}

export interface NotifyRound {
  readonly order: number;
  readonly subscriptionIds: readonly SubscriptionId[];
}

/** How long a round is waited for unless its owner says otherwise. */
export const defaultRoundSeconds = 60;

/** Rounds of a policy. */
export const maxNotifyRounds = 10;

/** Subscriptions of a round. */
export const maxPerNotifyRound = 50;

/**
 * Checks a policy and brings its rounds into their order.
 *
 * @throws CarillonError BINDING_INVALID
 */
export function checkNotifyPolicy(policy: NotifyPolicy): NotifyPolicy {
  const { rounds, roundSeconds } = policy;
  if (rounds.length < 1 || rounds.length > maxNotifyRounds) {
    throw invalid(`1 to ${maxNotifyRounds} rounds are expected`);
  }
  if (new Set(rounds.map(({ order }) => order)).size < rounds.length) {
    throw invalid("each round has an order of its own");
  }
  const named = rounds.flatMap(({ subscriptionIds }) => subscriptionIds);
  if (new Set(named).size < named.length) {
    throw invalid("a subscription is in one round only");
  }
  for (const { subscriptionIds } of rounds) {
    if (
      subscriptionIds.length < 1 ||
      subscriptionIds.length > maxPerNotifyRound
    ) {
      throw invalid(`a round has 1 to ${maxPerNotifyRound} subscriptions`);
    }
  }
  if (
    !Number.isInteger(roundSeconds) ||
    roundSeconds < 1 ||
    roundSeconds > 86_400
  ) {
    throw invalid("a round lasts 1 to 86400 seconds");
  }
  return { ...policy, rounds: rounds.toSorted((a, b) => a.order - b.order) };
}

/** The round of each subscription that a policy names, counted from 1. */
export function roundsOf(
  policy: NotifyPolicy,
): ReadonlyMap<SubscriptionId, number> {
  const rounds = new Map<SubscriptionId, number>();
  for (const [index, { subscriptionIds }] of policy.rounds.entries()) {
    for (const id of subscriptionIds) rounds.set(id, index + 1);
  }
  return rounds;
}

function invalid(rule: string): CarillonError {
  return new CarillonError(
    "BINDING_INVALID",
    `Invalid notify policy: ${rule}.`,
  );
}
