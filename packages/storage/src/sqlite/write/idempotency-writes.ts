/** Writes of messages together with the keys of their requests. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, IdempotencyKey } from "@carillon/core";
import {
  type IdempotencyKeyRow,
  idempotencyKeys,
} from "../schema/idempotency-table.ts";
import type { MessageParts, NewMessageRow } from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import {
  type AcceptedRow,
  createMessageWrites,
  type FirstRangeLease,
  type RecipientRow,
  type Wait,
} from "./message-writes.ts";

/** Keys that have ended and go with a new one: more than are added. */
const removedWithEach = 4;

/** Who gets the message. */
export type AudienceValues =
  | readonly [kind: "topics", dueAt: EpochMs, lease: FirstRangeLease | null]
  | readonly [kind: "direct", wait: Wait, recipients: readonly RecipientRow[]];

/** What was kept, or the key that was there. */
export type AcceptedOnceValues =
  | AcceptedRow
  | { readonly earlier: IdempotencyKeyRow };

/** Finds, keeps and removes keys. */
export function createKeyWrites(db: DatabaseSync) {
  /** Parameters: project, key, now. Index: the primary key. */
  const held = prepareQuery<IdempotencyKeyRow>(
    db,
    `SELECT ${idempotencyKeys.columns()} FROM idempotency_keys
     WHERE project_id = ? AND key = ? AND expires_at > ?`,
  );
  /** In place of one that has ended. */
  const put = db.prepare(idempotencyKeys.replace("projectId", "key"));
  /** Parameters: now, how many. Index: idempotency_keys_expires. */
  const removeEnded = db.prepare(
    `DELETE FROM idempotency_keys WHERE (project_id, key) IN (
       SELECT project_id, key
       FROM idempotency_keys INDEXED BY idempotency_keys_expires
       WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  );
  return {
    /** No two look at once: this thread is the only one that writes. */
    find: ({ projectId, key }: IdempotencyKey, now: EpochMs) =>
      held.get(projectId, key, now),
    /** A few keys that have ended go with it. */
    put(key: IdempotencyKey, now: EpochMs): void {
      removeEnded.run(now, removedWithEach);
      put.run(...idempotencyKeys.toRow(key));
    },
    removeEnded: (now: EpochMs, limit: number): number =>
      Number(removeEnded.run(now, limit).changes),
  };
}

export function createIdempotencyWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
) {
  const keys = createKeyWrites(db);
  const { acceptMessage, acceptDirectMessage } = createMessageWrites(
    db,
    journal,
  );

  return {
    acceptOnce(
      key: IdempotencyKey,
      now: EpochMs,
      message: NewMessageRow,
      parts: MessageParts,
      audience: AudienceValues,
    ): AcceptedOnceValues {
      const earlier = keys.find(key, now);
      if (earlier) return { earlier };
      keys.put(key, now);
      if (audience[0] === "direct") {
        const [, wait, recipients] = audience;
        return acceptDirectMessage(message, parts, recipients, wait);
      }
      const [, dueAt, lease] = audience;
      return acceptMessage(message, parts, dueAt, lease);
    },
    removeEndedKeys: (now: EpochMs, limit: number): number =>
      keys.removeEnded(now, limit),
  };
}
