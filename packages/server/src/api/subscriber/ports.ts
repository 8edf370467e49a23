/** What the routes for subscribers work with. */

import type { Subscriptions } from "@carillon/core";

export interface SubscriberPorts {
  readonly subscriptions: Subscriptions;
  readonly certificates: {
    /** The certificate as PEM; `undefined` when there is none of that id. */
    find(certificateId: string): Promise<string | undefined>;
  };
}
