/**
 * Who gets a message to several topics through which subscription. A subscriber
 * is a protocol and an endpoint. Topics are walked one after another in the order
 * in which they were given, and each subscription is decided when it is its turn,
 * by what the ledger says of those before it: so a subscriber gets the message
 * through the first subscription that lets it through, whatever becomes of
 * subscriptions meanwhile.
 */

import type { FilterPolicy } from "../subscriptions/filter-policy.ts";
import type { DeliveryState } from "./delivery-state.ts";

/** Another subscription of a subscriber, to another topic of the message. */
export interface OtherSubscription {
  /** Its topic's turn is still to come. */
  readonly isLater: boolean;
  /** It gets what its topic publishes now. */
  readonly isActive: boolean;
  /** Absent: it gets every message. */
  readonly filterPolicies?: readonly FilterPolicy[];
  /** Of its delivery of this message; absent: there is none. */
  readonly state?: DeliveryState;
  /** An operator cancelled its delivery: no other is to take its place. */
  readonly isWithdrawn?: true;
}

/**
 * Whether a subscription has a delivery of the message. It has none if another
 * one has or will have it; where all of them filter the message, the first keeps
 * one that is `filtered`.
 *
 * @param passes whether it is active and lets the message through
 * @param otherPasses whether another one's policies let it through
 */
export function hasDelivery(
  passes: boolean,
  others: readonly OtherSubscription[],
  otherPasses: (other: OtherSubscription) => boolean,
): boolean {
  if (others.some(isUnderWay)) return false;
  if (passes) return true;
  const isLeftToOther = others.some(
    (other) =>
      other.state !== undefined ||
      (other.isLater && other.isActive && otherPasses(other)),
  );
  return !isLeftToOther;
}

/** The subscriber got it, or will, or cannot, whichever subscription is taken. */
function isUnderWay({ state, isWithdrawn }: OtherSubscription): boolean {
  if (state === "cancelled") return isWithdrawn === true;
  return state !== undefined && state !== "filtered";
}
