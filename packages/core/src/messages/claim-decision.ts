/** Whether a delivery that falls due is still wanted by anybody. */

import {
  type SubscriptionStatus,
  subscriptionStatus,
} from "../subscriptions/subscription.ts";
import type { Attempt } from "./delivery.ts";
import type { DeliveryState } from "./delivery-state.ts";
import type { AudienceKind } from "./message.ts";

/** What a store knows of a due delivery when it is to be claimed. */
export interface ClaimFacts {
  readonly audience: AudienceKind;
  /** Of its subscription; `undefined` for direct recipients. */
  readonly status: SubscriptionStatus | undefined;
  /** An earlier round of the notify policy delivered the message. */
  readonly isEscalationOver: boolean;
  /** The whole message was cancelled; see `MessageCancellation`. */
  readonly isMessageCancelled: boolean;
}

/** `send`, or why it is cancelled; no reason where the ledger needs none. */
export type ClaimDecision =
  | "send"
  | "unsubscribed"
  | "escalation_over"
  | "message_cancelled";

/**
 * Confirmations go to the unconfirmed and unsubscribe notices to those who
 * left; all else only to those who are subscribed now.
 */
export function decideClaim(facts: ClaimFacts): ClaimDecision {
  const { audience, status, isEscalationOver, isMessageCancelled } = facts;
  if (isMessageCancelled) return "message_cancelled";
  switch (audience) {
    case "direct":
      return "send";
    case "subscription":
      return isPresent(status) ? "send" : "unsubscribed";
    case "topic":
    case "topics":
      if (!isSubscribed(status)) return "unsubscribed";
      return isEscalationOver ? "escalation_over" : "send";
    default:
      return audience satisfies never;
  }
}

/**
 * The state that a claim found, which its release leads back to. One that was
 * freed after its engine's end is `sending`; it was `sent` if its last attempt was
 * accepted.
 */
export function stateBeforeClaim({
  state,
  attempts,
  lastAttempt,
}: {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly lastAttempt?: Pick<Attempt, "outcome"> | undefined;
}): "waiting" | "retrying" | "sent" {
  if (state === "sent") return state;
  if (state === "sending" && lastAttempt?.outcome === "accepted") return "sent";
  return attempts === 0 ? "waiting" : "retrying";
}

/** The error kept for deliveries cancelled before their first attempt. */
export const cancelReasons: Readonly<
  Partial<Record<ClaimDecision | "topic_deleted", string>>
> = {
  escalation_over:
    "An earlier round of the notify policy delivered the message.",
  message_cancelled: "The message was cancelled before the first attempt.",
  topic_deleted: "The topic was deleted before the first attempt.",
};

/** The error kept for deliveries that their subscribers did not fetch in time. */
export const unfetchedError =
  "Nobody fetched it before its time to live ran out.";

function isSubscribed(status: SubscriptionStatus | undefined): boolean {
  return (
    status === subscriptionStatus.confirmed ||
    status === subscriptionStatus.confirmationNotNeeded
  );
}

function isPresent(status: SubscriptionStatus | undefined): boolean {
  return status !== undefined && status !== subscriptionStatus.deleted;
}
