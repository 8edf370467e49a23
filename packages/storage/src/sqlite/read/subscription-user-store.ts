/** Subscription users in SQLite. */

import type { SubscriptionUser, SubscriptionUserStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { protocolCodes, protocolOf } from "../schema/codes.ts";
import type { SubscriptionUserValues } from "../write/subscription-user-writes.ts";

const columns = "id, domain_id, name, protocol, endpoint, remark, created_at";

export function createSubscriptionUserStore({
  reader,
  writer,
}: Connections): SubscriptionUserStore {
  /** Parameters: domain. Index: subscription_users_of_domain. */
  const count = reader.prepare<[count: number]>(
    "SELECT count(*) FROM subscription_users WHERE domain_id = ?",
  );
  const page = reader.prepare<SubscriptionUserValues>(
    `SELECT ${columns} FROM subscription_users WHERE domain_id = ?
     ORDER BY seq LIMIT ? OFFSET ?`,
  );
  const byId = reader.prepare<SubscriptionUserValues>(
    `SELECT ${columns} FROM subscription_users WHERE id = ? AND domain_id = ?`,
  );
  return {
    addSubscriptionUser: (user, quota) =>
      writer.run(
        "addSubscriptionUser",
        [
          user.id,
          user.domainId,
          user.name,
          protocolCodes[user.protocol],
          user.endpoint,
          user.remark,
          user.createdAt,
        ],
        quota,
      ),
    async listSubscriptionUsers(domainId, { offset, limit }) {
      const [total] = count.get(domainId) ?? [0];
      const items = page.all(domainId, limit, offset).map(toUser);
      return { total, items };
    },
    async findSubscriptionUser(domainId, id) {
      const row = byId.get(id, domainId);
      return row && toUser(row);
    },
    deleteSubscriptionUser: (domainId, id) =>
      writer.run("deleteSubscriptionUser", domainId, id),
  };
}

function toUser([
  id,
  domainId,
  name,
  protocol,
  endpoint,
  remark,
  createdAt,
]: SubscriptionUserValues): SubscriptionUser {
  const known = protocolOf(protocol);
  return { id, domainId, name, protocol: known, endpoint, remark, createdAt };
}
