import type {
  AddressBook,
  SubscriptionUser,
} from "../subscriptions/subscription-user.ts";
import type { EpochMs } from "../time.ts";
import type { Page, PageRequest } from "./page.ts";

/** An address book per project; those of a domain are read as one. */
export interface SubscriptionUserStore {
  /** Answers false when the project has `quota` of them. */
  addSubscriptionUser(user: SubscriptionUser, quota: number): Promise<boolean>;
  /** Oldest first. */
  listSubscriptionUsers(
    book: AddressBook,
    page: PageRequest,
  ): Promise<Page<SubscriptionUser>>;
  findSubscriptionUser(
    book: AddressBook,
    id: string,
  ): Promise<SubscriptionUser | undefined>;
  /** Answers false when there is no such one. */
  deleteSubscriptionUser(
    book: AddressBook,
    id: string,
    at: EpochMs,
  ): Promise<boolean>;
}
