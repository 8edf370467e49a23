/** What owners do with their address books. */

import { CarillonError } from "../errors.ts";
import type { NewId, ProjectId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type { SubscriptionUserStore } from "../ports/subscription-user-store.ts";
import { checkEndpoint, type Protocols } from "./protocol.ts";
import { checkRemark, type Subscription } from "./subscription.ts";
import {
  type AddressBook,
  defaultSubscriptionUsersPerProject,
  type SubscriptionUser,
} from "./subscription-user.ts";
import type { Subscriptions } from "./subscriptions.ts";

/**
 * Keeps the address books of projects, and subscribes their entries to topics.
 */
export interface SubscriptionUsers {
  /**
   * @throws CarillonError SUBSCRIPTION_USER_INVALID, PROTOCOL_INVALID,
   * ENDPOINT_INVALID, REMARK_INVALID, SUBSCRIPTION_USER_QUOTA_EXCEEDED
   */
  create(
    owner: { readonly projectId: ProjectId; readonly domainId: string },
    user: {
      readonly name: unknown;
      readonly protocol: unknown;
      readonly endpoint: unknown;
      readonly remark?: unknown;
    },
  ): Promise<SubscriptionUser>;
  list(book: AddressBook, page: PageRequest): Promise<Page<SubscriptionUser>>;
  /** @throws CarillonError SUBSCRIPTION_USER_NOT_FOUND */
  remove(book: AddressBook, id: string): Promise<void>;
  /**
   * Subscribes one to a topic, with its own remark.
   *
   * @throws CarillonError SUBSCRIPTION_USER_NOT_FOUND, and those of
   * `Subscriptions.subscribe`
   */
  subscribe(
    book: AddressBook,
    id: string,
    projectId: ProjectId,
    topicUrn: string,
  ): Promise<{ subscription: Subscription; created: boolean }>;
}

/** Builds the operations on address books. */
export function createSubscriptionUsers(ports: {
  readonly store: SubscriptionUserStore;
  readonly protocols: Protocols;
  readonly subscriptions: Pick<Subscriptions, "subscribe">;
  readonly clock: Clock;
  readonly newId: NewId;
}): SubscriptionUsers {
  const { store, subscriptions, clock, newId, protocols } = ports;
  const quota = defaultSubscriptionUsersPerProject;
  return {
    async create(
      { projectId, domainId },
      { name, protocol, endpoint, remark },
    ) {
      const checked = protocols.ofSmn.check(protocol);
      const user: SubscriptionUser = {
        id: newId(),
        projectId,
        domainId,
        name: checkName(name),
        protocol: checked.name,
        endpoint: checkEndpoint(checked, endpoint),
        remark: checkRemark(remark),
        createdAt: clock.now(),
      };
      if (await store.addSubscriptionUser(user, quota)) return user;
      throw new CarillonError(
        "SUBSCRIPTION_USER_QUOTA_EXCEEDED",
        `The project has ${quota} subscription users, as many as it may: delete one first.`,
      );
    },
    list: (book, page) => store.listSubscriptionUsers(book, page),
    async remove(book, id) {
      if (await store.deleteSubscriptionUser(book, id, clock.now())) return;
      throw userNotFound();
    },
    async subscribe(book, id, projectId, topicUrn) {
      const user = await store.findSubscriptionUser(book, id);
      if (!user) throw userNotFound();
      const { protocol, endpoint, remark } = user;
      return await subscriptions.subscribe(projectId, topicUrn, {
        protocol,
        endpoint,
        remark,
        overSmn: true,
      });
    },
  };
}

function checkName(name: unknown): string {
  const isName =
    typeof name === "string" && /^[^\p{Cc}\p{Zl}\p{Zp}]{1,64}$/u.test(name);
  if (isName && name.trim() !== "") return name;
  throw new CarillonError(
    "SUBSCRIPTION_USER_INVALID",
    "Invalid name of a subscription user: 1 to 64 printable characters.",
  );
}

function userNotFound(): CarillonError {
  return new CarillonError(
    "SUBSCRIPTION_USER_NOT_FOUND",
    "Subscription user not found.",
  );
}
