/** Writes of subscription users. */

import type { DatabaseSync } from "node:sqlite";
import type { AddressBook, EpochMs, SubscriptionUser } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import {
  addressBookColumns,
  addressBookOf,
  subscriptionUsers,
} from "../schema/subscription-table.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";

export function createSubscriptionUserWrites(db: DatabaseSync) {
  /** Parameter: project. Index: subscription_users_of_project. */
  const count = prepareQuery<[count: number]>(
    db,
    `SELECT count(*) FROM subscription_users
     WHERE project_id = ? AND deleted_at IS NULL`,
  );
  const isDeletedProject = createDeletedProjectCheck(db);
  const insert = db.prepare(subscriptionUsers.insert);
  const remove = addressBookColumns((column) =>
    db.prepare(
      `UPDATE subscription_users
       SET name = '', endpoint = '', remark = '', deleted_at = ?
       WHERE id = ? AND ${column} = ? AND deleted_at IS NULL`,
    ),
  );
  return {
    addSubscriptionUser(
      user: SubscriptionUser,
      quota: number,
    ): boolean | "PROJECT_DELETED" {
      const [present] = count.get(user.projectId) ?? [0];
      if (present >= quota) return false;
      if (isDeletedProject(user.projectId)) return "PROJECT_DELETED";
      insert.run(...subscriptionUsers.toRow(user));
      return true;
    },
    deleteSubscriptionUser(
      book: AddressBook,
      id: string,
      at: EpochMs,
    ): boolean {
      const [column, owner] = addressBookOf(book);
      return remove[column].run(at, id, owner).changes > 0;
    },
  };
}
