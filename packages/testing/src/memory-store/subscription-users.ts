/** Subscription users of the in-memory store. */

import type { AddressBook, SubscriptionUserStore } from "@carillon/core";
import { checkProject } from "./directory.ts";
import { cutPage } from "./lists.ts";
import type { Tables } from "./tables.ts";

export function createSubscriptionUserStore(
  tables: Tables,
): SubscriptionUserStore {
  const { subscriptionUsers, deletedSubscriptionUsers, write } = tables;
  /** Deleted ones, too, oldest first. */
  const allOf = (book: AddressBook) =>
    subscriptionUsers
      .list()
      .filter((user) =>
        book.kind === "project"
          ? user.projectId === book.projectId
          : user.domainId === book.domainId,
      );
  const listOf = (book: AddressBook) =>
    allOf(book).filter(({ id }) => !deletedSubscriptionUsers.has(id));
  const find = (book: AddressBook, id: string) =>
    listOf(book).find((user) => user.id === id);
  return {
    addSubscriptionUser: (user, quota) =>
      write(() => {
        const { projectId } = user;
        if (listOf({ kind: "project", projectId }).length >= quota) {
          return false;
        }
        checkProject(tables, projectId);
        subscriptionUsers.put(user.id, user);
        return true;
      }),
    async listSubscriptionUsers(book, page) {
      const ids = allOf(book).map(({ id }) => id);
      const last = ids.indexOf(page.marker ?? "");
      return cutPage(
        listOf(book),
        page,
        ({ id }) => last >= 0 && ids.indexOf(id) > last,
      );
    },
    findSubscriptionUser: async (book, id) => find(book, id),
    deleteSubscriptionUser: (book, id) =>
      write(() => {
        const known = find(book, id);
        if (known) deletedSubscriptionUsers.put(id, {});
        return known !== undefined;
      }),
  };
}
