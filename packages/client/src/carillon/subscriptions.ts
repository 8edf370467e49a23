/** Subscriptions of every protocol, as Carillon's own API has them. */

import type { Api } from "../api.ts";
import { type DeleteOptions, deleted } from "../smn/missing.ts";
import {
  type SubscriptionReference,
  toSubscriptionUrn,
} from "../smn/references.ts";

/** Deletes subscriptions. */
export interface Subscriptions {
  /** What is in a mailbox already stays there. Twice is fine. */
  delete(
    subscription: SubscriptionReference,
    options?: DeleteOptions,
  ): Promise<void>;
}

export function createSubscriptions(api: Api): Subscriptions {
  return {
    async delete(subscription, options = {}) {
      const path = ["subscriptions", toSubscriptionUrn(subscription)];
      await deleted(api({ method: "DELETE", path }, options), options);
    },
  };
}
