/** Writes of subscription users. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, SubscriptionUser } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";
import { subscriptionUsers } from "../schema/subscription-table.ts";

export function createSubscriptionUserWrites(db: DatabaseSync) {
  const count = prepareQuery<[count: number]>(
    db,
    `SELECT count(*) FROM subscription_users
     WHERE domain_id = ? AND deleted_at IS NULL`,
  );
  const insert = db.prepare(subscriptionUsers.insert);
  const remove = db.prepare(
    `UPDATE subscription_users
     SET name = '', endpoint = '', remark = '', deleted_at = ?
     WHERE id = ? AND domain_id = ? AND deleted_at IS NULL`,
  );
  return {
    addSubscriptionUser(user: SubscriptionUser, quota: number): boolean {
      const [present] = count.get(user.domainId) ?? [0];
      if (present >= quota) return false;
      insert.run(...subscriptionUsers.toRow(user));
      return true;
    },
    deleteSubscriptionUser(domainId: string, id: string, at: EpochMs): boolean {
      return remove.run(at, id, domainId).changes > 0;
    },
  };
}
