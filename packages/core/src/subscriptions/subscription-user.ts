/**
 * Somebody who can be subscribed to topics by an id: an entry in the address
 * book of a domain. Deleting one leaves its subscriptions as they are.
 */

import type { EpochMs } from "../time.ts";
import type { Protocol } from "./protocol.ts";

/** An entry of a domain's address book. */
export interface SubscriptionUser {
  readonly id: string;
  readonly domainId: string;
  readonly name: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly remark: string;
  readonly createdAt: EpochMs;
}

/** Subscription users of a domain, at most. */
export const defaultSubscriptionUsersPerDomain = 10_000;
