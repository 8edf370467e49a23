/** Subscription users in SQLite. */

import type { SubscriptionUserStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type SubscriptionUserRow,
  subscriptionUsers,
} from "../schema/subscription-table.ts";
import { Conditions } from "./conditions.ts";

export function createSubscriptionUserStore({
  reader,
  writer,
}: Connections): SubscriptionUserStore {
  /** Parameters: domain. Index: subscription_users_of_domain. */
  const count = reader.prepare<[count: number]>(
    `SELECT count(*) FROM subscription_users
     WHERE domain_id = ? AND deleted_at IS NULL`,
  );
  const byId = reader.prepare<SubscriptionUserRow>(
    `SELECT ${subscriptionUsers.columns()} FROM subscription_users
     WHERE id = ? AND domain_id = ? AND deleted_at IS NULL`,
  );
  return {
    addSubscriptionUser: (user, quota) =>
      writer.run("addSubscriptionUser", user, quota),
    async listSubscriptionUsers(domainId, { offset, limit, marker }) {
      const [total] = count.get(domainId) ?? [0];
      const where = new Conditions()
        .add("domain_id = ?", domainId)
        .add("deleted_at IS NULL")
        // An unknown marker is NULL, behind which nothing comes.
        .addIfSet(
          "seq > (SELECT seq FROM subscription_users WHERE id = ? AND domain_id = ?)",
          marker,
          domainId,
        );
      const rows = reader
        .prepared<SubscriptionUserRow>(
          `SELECT ${subscriptionUsers.columns()} FROM subscription_users ${where.sql}
           ORDER BY seq LIMIT ? OFFSET ?`,
        )
        .all(...where.values, limit, marker === undefined ? offset : 0);
      return {
        total,
        items: rows.map((row) => subscriptionUsers.fromRow(row)),
      };
    },
    async findSubscriptionUser(domainId, id) {
      const row = byId.get(id, domainId);
      return row && subscriptionUsers.fromRow(row);
    },
    deleteSubscriptionUser: (domainId, id, at) =>
      writer.run("deleteSubscriptionUser", domainId, id, at),
  };
}
