/**
 * What becomes of a delivery when an operator acts on it, as a function over
 * plain values: every store calls it within the transaction that writes, so that
 * of two operators who settle one delivery at once the first one wins.
 */

import { reasonNotQueued } from "../pull/dead-letter.ts";
import type { MailboxRoom } from "../pull/mailbox.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { addMs, type EpochMs } from "../time.ts";
import { type ClaimFacts, decideClaim } from "./claim-decision.ts";
import { expiresAtOf, type MessageLives } from "./default-life.ts";
import {
  type DeliveryAction,
  type DeliveryState,
  stateAfterAction,
} from "./delivery-state.ts";
import type { Message } from "./message.ts";

/** Who acts. */
export interface Actor {
  readonly userId: string;
  readonly userName: string;
}

/** An action as it stands in the history of a delivery. */
export interface DeliveryActionRecord extends Actor {
  readonly at: EpochMs;
  readonly action: DeliveryAction;
  /** The states before and after it. */
  readonly from: DeliveryState;
  readonly to: DeliveryState;
  readonly reason?: string;
  /** Id of the job that did it; absent: it was for this delivery alone. */
  readonly jobId?: string;
}

/** What actions of all deliveries have in common. */
export interface ActionRules {
  /** How long messages live that were given no time to live. */
  readonly lives: MessageLives;
  /** Whose deliveries their subscribers fetch: no engine attempts them. */
  readonly pullProtocols: readonly Protocol[];
}

/** What is to be done to a delivery, and what decides whether it can be. */
export interface ActionOrder extends ActionRules {
  readonly action: DeliveryAction;
  readonly now: EpochMs;
  /** A new life from `now` on, in seconds; for resends. */
  readonly timeToLiveSeconds?: number;
}

/** What a store knows of a delivery that is to be acted on. */
export interface ActionFacts extends ClaimFacts {
  readonly state: DeliveryState;
  /** When its next attempt is due, if one is. */
  readonly nextAttemptAt: EpochMs | undefined;
  /** The end of the life that an earlier resend gave it. */
  readonly expiresAt: EpochMs | undefined;
  readonly protocol: Protocol;
  /** That its subscriber fetches it from; absent: it does not, or it was deleted. */
  readonly mailbox?: MailboxRoom;
  readonly message: Pick<
    Message,
    "createdAt" | "notBefore" | "expiresAt" | "class" | "timeToLiveSeconds"
  >;
}

/** Why an action is refused, in the order in which it is looked at. */
export const actionRefusals = [
  /** The action does not lead on from the state that the delivery is in. */
  "state",
  /**
   * A resend to whom nobody would send: unsubscribed, escalation over, or the
   * message was cancelled.
   */
  "unwanted",
  /** A resend after the end of the delivery's life, without a new one. */
  "expired",
  /** A resend into a mailbox that is full, or disabled. */
  "not_queued",
] as const;

export type ActionRefusal = (typeof actionRefusals)[number];

/** What an action leads to, or why it is refused and changes nothing. */
export type ActionDecision =
  | {
      readonly refused: ActionRefusal;
      /** Of one that is not queued: as it stands. */
      readonly mailbox?: MailboxRoom;
    }
  | {
      readonly refused?: undefined;
      readonly to: DeliveryState;
      /** Set by a resend: when its attempt is due. */
      readonly nextAttemptAt?: EpochMs;
      /** Set by a resend with a new life, and of what is fetched: the end of it. */
      readonly expiresAt?: EpochMs;
      /** It waits for its subscriber to fetch it. */
      readonly isFetched?: true;
    };

/** Decides by what a store knows at this instant; it has no other effect. */
export function decideAction(
  facts: ActionFacts,
  { action, now, timeToLiveSeconds, lives, pullProtocols }: ActionOrder,
): ActionDecision {
  const to = stateAfterAction(facts.state, action);
  if (to === undefined) return { refused: "state" };
  if (to !== "retrying") return { to };
  const { nextAttemptAt, message, protocol } = facts;
  // An attempt that is due is one that is being made.
  if (nextAttemptAt !== undefined && nextAttemptAt <= now) {
    return { refused: "state" };
  }
  if (decideClaim(facts) !== "send") return { refused: "unwanted" };
  const renewed =
    timeToLiveSeconds !== undefined
      ? addMs(now, timeToLiveSeconds * 1000)
      : undefined;
  const end =
    renewed ?? facts.expiresAt ?? expiresAtOf(message, protocol, lives);
  if (now >= end) return { refused: "expired" };
  if (pullProtocols.includes(protocol)) {
    const { mailbox } = facts;
    if (reasonNotQueued(mailbox) !== undefined) {
      return { refused: "not_queued", ...(mailbox && { mailbox }) };
    }
    return { to: "waiting", expiresAt: end, isFetched: true };
  }
  return {
    to,
    nextAttemptAt: now,
    ...(renewed !== undefined && { expiresAt: renewed }),
  };
}
