/** Messages of the in-memory store that were kept with a key. */

import type { EpochMs, IdempotencyKey, IdempotencyStore } from "@carillon/core";
import type { Holds } from "./holds.ts";
import { acceptDirectMessage, acceptMessage } from "./messages.ts";
import type { Tables } from "./tables.ts";

export function createIdempotencyStore(
  tables: Tables,
  holds: Holds,
): IdempotencyStore {
  const { idempotencyKeys: keys, write } = tables;

  return {
    findIdempotencyKey: async (projectId, key, now) =>
      findKey(tables, { projectId, key }, now),
    acceptOnce: (key, message, audience) =>
      write(() => {
        const earlier = findKey(tables, key, message.createdAt);
        if (earlier) return { isRepeated: true, earlier };
        putKey(tables, key, message.createdAt);
        if (audience.kind === "direct") {
          const { recipients } = audience;
          const { seq } = acceptDirectMessage(
            tables,
            holds,
            message,
            recipients,
          );
          return { isRepeated: false, seq, range: undefined, unclaimed: 0 };
        }
        const { lease } = audience;
        const accepted = acceptMessage(tables, holds, message, lease);
        return { isRepeated: false, ...accepted };
      }),
    removeEndedKeys: (now, limit) =>
      write(() => {
        const ended = keys
          .list()
          .filter((it) => it.expiresAt <= now)
          .slice(0, limit);
        for (const { projectId, key } of ended) keys.delete(projectId + key);
        return ended.length;
      }),
  };
}

/** A key that holds at `now`. Project ids have one length: no two keys meet. */
export function findKey(
  { idempotencyKeys }: Tables,
  { projectId, key }: Pick<IdempotencyKey, "projectId" | "key">,
  now: EpochMs,
): IdempotencyKey | undefined {
  const kept = idempotencyKeys.get(projectId + key);
  return kept && kept.expiresAt > now ? kept : undefined;
}

/** Those that have ended go with it. */
export function putKey(
  { idempotencyKeys }: Tables,
  key: IdempotencyKey,
  now: EpochMs,
): void {
  idempotencyKeys.deleteWhere((it) => it.expiresAt <= now);
  idempotencyKeys.put(key.projectId + key.key, key);
}
