import type { SubscriptionUser } from "../subscriptions/subscription-user.ts";

/** An address book per domain. */
export interface SubscriptionUserStore {
  /** Answers false when the domain has `quota` of them. */
  addSubscriptionUser(user: SubscriptionUser, quota: number): Promise<boolean>;
  /** Oldest first. */
  listSubscriptionUsers(
    domainId: string,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{
    readonly total: number;
    readonly items: readonly SubscriptionUser[];
  }>;
  findSubscriptionUser(
    domainId: string,
    id: string,
  ): Promise<SubscriptionUser | undefined>;
  /** Answers false when there is no such one. */
  deleteSubscriptionUser(domainId: string, id: string): Promise<boolean>;
}
