/** Idempotency keys in SQLite: reads, and the way to the writer. */

import type { Clock, IdempotencyStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type IdempotencyKeyRow,
  idempotencyKeys,
} from "../schema/idempotency-table.ts";
import { toMessageRow, toRelatedObjectRows } from "../schema/message-table.ts";
import { endOf, firstRange, toRecipientRows } from "./delivery-store.ts";

/** `clock`: its monotonic time is the time of leases. */
export function createIdempotencyStore(
  { reader, writer }: Connections,
  clock: Clock,
): IdempotencyStore {
  /** Parameters: project, key, now. Index: the primary key. */
  const held = reader.prepare<IdempotencyKeyRow>(
    `SELECT ${idempotencyKeys.columns()} FROM idempotency_keys
     WHERE project_id = ? AND key = ? AND expires_at > ?`,
  );

  return {
    async findIdempotencyKey(projectId, key, now) {
      const row = held.get(projectId, key, now);
      return row && idempotencyKeys.fromRow(row);
    },
    async acceptOnce(key, message, audience) {
      const { kind } = audience;
      const lease = kind === "topic" ? audience.lease : undefined;
      const accepted = await writer.run(
        "acceptOnce",
        key,
        message.createdAt,
        toMessageRow(message),
        toRelatedObjectRows(message),
        kind === "topic"
          ? [kind, lease ? [lease.owner, endOf(clock, lease)] : null]
          : [kind, toRecipientRows(audience.recipients)],
      );
      if ("earlier" in accepted) {
        const earlier = idempotencyKeys.fromRow(accepted.earlier);
        return { isRepeated: true, earlier };
      }
      const { seq, hasRange } = accepted;
      const range = hasRange && lease ? firstRange(seq, message) : undefined;
      return { isRepeated: false, seq, range };
    },
    async removeEndedKeys(now, limit) {
      return await writer.run("removeEndedKeys", now, limit);
    },
  };
}
