/** Writes of subscription users. */

import type { DatabaseSync } from "node:sqlite";
import { prepareQuery } from "../schema/query.ts";

/** A new one's columns, in the order of the INSERT. */
export type SubscriptionUserValues = [
  id: string,
  domainId: string,
  name: string,
  protocol: number,
  endpoint: string,
  remark: string,
  createdAt: number,
];

export function createSubscriptionUserWrites(db: DatabaseSync) {
  const count = prepareQuery<[count: number]>(
    db,
    "SELECT count(*) FROM subscription_users WHERE domain_id = ?",
  );
  const insert = db.prepare(
    `INSERT INTO subscription_users
       (id, domain_id, name, protocol, endpoint, remark, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare(
    "DELETE FROM subscription_users WHERE id = ? AND domain_id = ?",
  );
  return {
    addSubscriptionUser(
      values: SubscriptionUserValues,
      quota: number,
    ): boolean {
      const [present] = count.get(values[1]) ?? [0];
      if (present >= quota) return false;
      insert.run(...values);
      return true;
    },
    deleteSubscriptionUser(domainId: string, id: string): boolean {
      return remove.run(id, domainId).changes > 0;
    },
  };
}
