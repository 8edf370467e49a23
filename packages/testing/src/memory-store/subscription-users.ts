/** Subscription users of the in-memory store. */

import type { SubscriptionUserStore } from "@carillon/core";
import type { Tables } from "./tables.ts";

export function createSubscriptionUserStore({
  subscriptionUsers,
  write,
}: Tables): SubscriptionUserStore {
  const listOf = (domainId: string) =>
    subscriptionUsers.list().filter((user) => user.domainId === domainId);
  const find = (domainId: string, id: string) =>
    listOf(domainId).find((user) => user.id === id);
  return {
    addSubscriptionUser: (user, quota) =>
      write(() => {
        if (listOf(user.domainId).length >= quota) return false;
        subscriptionUsers.put(user.id, user);
        return true;
      }),
    async listSubscriptionUsers(domainId, { offset, limit }) {
      const all = listOf(domainId);
      return { total: all.length, items: all.slice(offset, offset + limit) };
    },
    findSubscriptionUser: async (domainId, id) => find(domainId, id),
    deleteSubscriptionUser: (domainId, id) =>
      write(
        () => find(domainId, id) !== undefined && subscriptionUsers.delete(id),
      ),
  };
}
