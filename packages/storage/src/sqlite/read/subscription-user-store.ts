/** Subscription users in SQLite. */

import type { SubscriptionUserStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type SubscriptionUserRow,
  subscriptionUsers,
} from "../schema/subscription-table.ts";

export function createSubscriptionUserStore({
  reader,
  writer,
}: Connections): SubscriptionUserStore {
  /** Parameters: domain. Index: subscription_users_of_domain. */
  const count = reader.prepare<[count: number]>(
    "SELECT count(*) FROM subscription_users WHERE domain_id = ?",
  );
  const page = reader.prepare<SubscriptionUserRow>(
    `SELECT ${subscriptionUsers.columns()} FROM subscription_users WHERE domain_id = ?
     ORDER BY seq LIMIT ? OFFSET ?`,
  );
  const byId = reader.prepare<SubscriptionUserRow>(
    `SELECT ${subscriptionUsers.columns()} FROM subscription_users WHERE id = ? AND domain_id = ?`,
  );
  return {
    addSubscriptionUser: (user, quota) =>
      writer.run("addSubscriptionUser", user, quota),
    async listSubscriptionUsers(domainId, { offset, limit }) {
      const [total] = count.get(domainId) ?? [0];
      const items = page
        .all(domainId, limit, offset)
        .map((row) => subscriptionUsers.fromRow(row));
      return { total, items };
    },
    async findSubscriptionUser(domainId, id) {
      const row = byId.get(id, domainId);
      return row && subscriptionUsers.fromRow(row);
    },
    deleteSubscriptionUser: (domainId, id) =>
      writer.run("deleteSubscriptionUser", domainId, id),
  };
}
