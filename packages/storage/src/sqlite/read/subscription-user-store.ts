/** Subscription users in SQLite. */

import { CarillonError, type SubscriptionUserStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  addressBookColumns,
  addressBookOf,
  type SubscriptionUserRow,
  subscriptionUsers,
} from "../schema/subscription-table.ts";
import { Conditions } from "./conditions.ts";

export function createSubscriptionUserStore({
  reader,
  writer,
}: Connections): SubscriptionUserStore {
  const columns = subscriptionUsers.columns();
  /**
   * Parameter: project or domain. Indexes: subscription_users_of_project,
   * subscription_users_of_domain, subscription_users_id.
   */
  const queries = addressBookColumns((column) => ({
    count: reader.prepare<[count: number]>(
      `SELECT count(*) FROM subscription_users
       WHERE ${column} = ? AND deleted_at IS NULL`,
    ),
    byId: reader.prepare<SubscriptionUserRow>(
      `SELECT ${columns} FROM subscription_users
       WHERE id = ? AND ${column} = ? AND deleted_at IS NULL`,
    ),
  }));
  return {
    async addSubscriptionUser(user, quota) {
      const result = await writer.run("addSubscriptionUser", user, quota);
      if (result === "PROJECT_DELETED") throw new CarillonError(result);
      return result;
    },
    async listSubscriptionUsers(book, { offset, limit, marker }) {
      const [column, owner] = addressBookOf(book);
      const [total] = queries[column].count.get(owner) ?? [0];
      const where = new Conditions()
        .add(`${column} = ?`, owner)
        .add("deleted_at IS NULL")
        // An unknown marker is NULL, behind which nothing comes.
        .addIfSet(
          `seq > (SELECT seq FROM subscription_users WHERE id = ? AND ${column} = ?)`,
          marker,
          owner,
        );
      const rows = reader
        .prepared<SubscriptionUserRow>(
          `SELECT ${columns} FROM subscription_users ${where.sql}
           ORDER BY seq LIMIT ? OFFSET ?`,
        )
        .all(...where.values, limit, marker === undefined ? offset : 0);
      return {
        total,
        items: rows.map((row) => subscriptionUsers.fromRow(row)),
      };
    },
    async findSubscriptionUser(book, id) {
      const [column, owner] = addressBookOf(book);
      const row = queries[column].byId.get(id, owner);
      return row && subscriptionUsers.fromRow(row);
    },
    deleteSubscriptionUser: (book, id, at) =>
      writer.run("deleteSubscriptionUser", book, id, at),
  };
}
