/** Subscription users of the in-memory store. */

import type { SubscriptionUserStore } from "@carillon/core";
import { cutPage } from "./lists.ts";
import type { Tables } from "./tables.ts";

export function createSubscriptionUserStore({
  subscriptionUsers,
  deletedSubscriptionUsers,
  write,
}: Tables): SubscriptionUserStore {
  /** Deleted ones, too, oldest first. */
  const allOf = (domainId: string) =>
    subscriptionUsers.list().filter((user) => user.domainId === domainId);
  const listOf = (domainId: string) =>
    allOf(domainId).filter(({ id }) => !deletedSubscriptionUsers.has(id));
  const find = (domainId: string, id: string) =>
    listOf(domainId).find((user) => user.id === id);
  return {
    addSubscriptionUser: (user, quota) =>
      write(() => {
        if (listOf(user.domainId).length >= quota) return false;
        subscriptionUsers.put(user.id, user);
        return true;
      }),
    async listSubscriptionUsers(domainId, page) {
      const ids = allOf(domainId).map(({ id }) => id);
      const last = ids.indexOf(page.marker ?? "");
      return cutPage(
        listOf(domainId),
        page,
        ({ id }) => last >= 0 && ids.indexOf(id) > last,
      );
    },
    findSubscriptionUser: async (domainId, id) => find(domainId, id),
    deleteSubscriptionUser: (domainId, id) =>
      write(() => {
        const known = find(domainId, id);
        if (known) deletedSubscriptionUsers.put(id, {});
        return known !== undefined;
      }),
  };
}
