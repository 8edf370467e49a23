/** What the routes for subscribers work with. */

import type { Protocols, Subscriptions } from "@carillon/core";
import type { UnsubscribeTokens } from "../../unsubscribe-tokens.ts";
import type { OriginOf } from "../origin.ts";

export interface SubscriberPorts {
  readonly subscriptions: Subscriptions;
  readonly protocols: Protocols;
  readonly unsubscribeTokens: UnsubscribeTokens;
  readonly originOf: OriginOf;
  readonly certificates: {
    /** The certificate as PEM; `undefined` when there is none of that id. */
    find(certificateId: string): Promise<string | undefined>;
  };
}
