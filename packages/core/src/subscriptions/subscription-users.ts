/** What owners do with the address book of their domain. */

import { CarillonError } from "../errors.ts";
import type { NewId, ProjectId } from "../ids.ts";
import type { Clock } from "../ports/clock.ts";
import type { Page, PageRequest } from "../ports/page.ts";
import type { SubscriptionUserStore } from "../ports/subscription-user-store.ts";
import { checkEndpoint, checkProtocol } from "./protocol.ts";
import { checkRemark, type Subscription } from "./subscription.ts";
import {
  defaultSubscriptionUsersPerDomain,
  type SubscriptionUser,
} from "./subscription-user.ts";
import type { Subscriptions } from "./subscriptions.ts";

/**
 * Keeps the address books of domains, and subscribes their entries to topics.
 */
export interface SubscriptionUsers {
  /**
   * @throws CarillonError SUBSCRIPTION_USER_INVALID, PROTOCOL_INVALID,
   * ENDPOINT_INVALID, REMARK_INVALID, SUBSCRIPTION_USER_QUOTA_EXCEEDED
   */
  create(
    domainId: string,
    user: {
      readonly name: unknown;
      readonly protocol: unknown;
      readonly endpoint: unknown;
      readonly remark?: unknown;
    },
  ): Promise<SubscriptionUser>;
  list(domainId: string, page: PageRequest): Promise<Page<SubscriptionUser>>;
  /** @throws CarillonError SUBSCRIPTION_USER_NOT_FOUND */
  remove(domainId: string, id: string): Promise<void>;
  /**
   * Subscribes one to a topic, with its own remark.
   *
   * @throws CarillonError SUBSCRIPTION_USER_NOT_FOUND, and those of
   * `Subscriptions.subscribe`
   */
  subscribe(
    domainId: string,
    id: string,
    projectId: ProjectId,
    topicUrn: string,
  ): Promise<{ subscription: Subscription; created: boolean }>;
}

/** Builds the operations on address books. */
export function createSubscriptionUsers(ports: {
  readonly store: SubscriptionUserStore;
  readonly subscriptions: Pick<Subscriptions, "subscribe">;
  readonly clock: Clock;
  readonly newId: NewId;
}): SubscriptionUsers {
  const { store, subscriptions, clock, newId } = ports;
  const quota = defaultSubscriptionUsersPerDomain;
  return {
    async create(domainId, { name, protocol, endpoint, remark }) {
      const checked = checkProtocol(protocol);
      const user: SubscriptionUser = {
        id: newId(),
        domainId,
        name: checkName(name),
        protocol: checked,
        endpoint: checkEndpoint(checked, endpoint),
        remark: checkRemark(remark),
        createdAt: clock.now(),
      };
      if (await store.addSubscriptionUser(user, quota)) return user;
      throw new CarillonError(
        "SUBSCRIPTION_USER_QUOTA_EXCEEDED",
        `The domain has ${quota} subscription users, as many as it may: delete one first.`,
      );
    },
    list: (domainId, page) => store.listSubscriptionUsers(domainId, page),
    async remove(domainId, id) {
      if (await store.deleteSubscriptionUser(domainId, id, clock.now())) {
        return;
      }
      throw userNotFound();
    },
    async subscribe(domainId, id, projectId, topicUrn) {
      const user = await store.findSubscriptionUser(domainId, id);
      if (!user) throw userNotFound();
      const { protocol, endpoint, remark } = user;
      return await subscriptions.subscribe(projectId, topicUrn, {
        protocol,
        endpoint,
        remark,
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
    "Subscription user not found in this domain.",
  );
}
