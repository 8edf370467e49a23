/**
 * The statuses of subscriptions in the tables: SMN's own numbers, and one more.
 * All from `deleted` on are gone as far as anybody outside can see.
 */

import type { SubscriptionStatus, subscriptionStatus } from "@carillon/core";

export const statusCodes = {
  unconfirmed: 0,
  confirmed: 1,
  confirmationNotNeeded: 2,
  cancelled: 3,
  deleted: 4,
  /**
   * Was subscribed when its topic was deleted. Messages that were accepted
   * before are still walked through to it, so that the ledger says of each that
   * it was cancelled.
   */
  deletedWithTopic: 5,
} as const satisfies typeof subscriptionStatus & { deletedWithTopic: 5 };

/** What core knows of a status. */
export function toSubscriptionStatus(code: number): SubscriptionStatus {
  if (code === statusCodes.deletedWithTopic) return statusCodes.deleted;
  // The column has no other values.
  return code as SubscriptionStatus;
}
