import type { SubscriptionUser } from "../subscriptions/subscription-user.ts";
import type { EpochMs } from "../time.ts";
import type { Page, PageRequest } from "./page.ts";

/** An address book per domain. */
export interface SubscriptionUserStore {
  /** Answers false when the domain has `quota` of them. */
  addSubscriptionUser(user: SubscriptionUser, quota: number): Promise<boolean>;
  /** Oldest first. */
  listSubscriptionUsers(
    domainId: string,
    page: PageRequest,
  ): Promise<Page<SubscriptionUser>>;
  findSubscriptionUser(
    domainId: string,
    id: string,
  ): Promise<SubscriptionUser | undefined>;
  /** Answers false when there is no such one. */
  deleteSubscriptionUser(
    domainId: string,
    id: string,
    at: EpochMs,
  ): Promise<boolean>;
}
