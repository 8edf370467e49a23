/**
 * A message's rounds under its topic's notify policy. All rounds are written at
 * fan-out, each due when those before it had their time: a crash loses none.
 */

import type { SubscriptionId } from "../ids.ts";
import type { Recipient } from "../ports/channel.ts";
import { addMs, type EpochMs } from "../time.ts";
import { type NotifyPolicy, roundsOf } from "../topics/notify-policy.ts";

export class Escalation {
  readonly #rounds: ReadonlyMap<SubscriptionId, number>;
  readonly #roundMs: number;
  readonly #startedAt: EpochMs;

  /** `startedAt`: when the message was accepted (epoch ms). */
  constructor(policy: NotifyPolicy, startedAt: EpochMs) {
    this.#rounds = roundsOf(policy);
    this.#roundMs = policy.roundSeconds * 1000;
    this.#startedAt = startedAt;
  }

  /** `undefined` for subscriptions that the policy does not name. */
  roundOf({ subscriptionId }: Recipient): number | undefined {
    return subscriptionId && this.#rounds.get(subscriptionId);
  }

  /** When a round is due; milliseconds since the epoch. */
  beginOf(round: number): EpochMs {
    return addMs(this.#startedAt, (round - 1) * this.#roundMs);
  }
}
