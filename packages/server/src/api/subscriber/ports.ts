/** What the routes for subscribers work with. */

import type {
  Protocols,
  Subscriptions,
  SubscriptionTokens,
} from "@carillon/core";
import type { OriginOf } from "../origin.ts";

export interface SubscriberPorts {
  readonly subscriptions: Subscriptions;
  readonly protocols: Protocols;
  readonly subscriptionTokens: Pick<SubscriptionTokens, "unsubscribeToken">;
  readonly originOf: OriginOf;
  readonly certificates: {
    /** The certificate as PEM; `undefined` when there is none of that id. */
    find(certificateId: string): Promise<string | undefined>;
  };
}
