/** Messages of the in-memory store that were kept with a key. */

import type { IdempotencyStore } from "@carillon/core";
import type { Holds } from "./holds.ts";
import { acceptDirectMessage, acceptMessage } from "./messages.ts";
import type { Tables } from "./tables.ts";

export function createIdempotencyStore(
  tables: Tables,
  holds: Holds,
): IdempotencyStore {
  const { idempotencyKeys: keys, write } = tables;

  /** Project ids have one length, so that no two keys meet. */
  const find = (projectId: string, key: string, now: number) => {
    const kept = keys.get(projectId + key);
    return kept && kept.expiresAt > now ? kept : undefined;
  };

  return {
    findIdempotencyKey: async (projectId, key, now) =>
      find(projectId, key, now),
    acceptOnce: (key, message, audience) =>
      write(() => {
        const { projectId } = key;
        const earlier = find(projectId, key.key, message.createdAt);
        if (earlier) return { isRepeated: true, earlier };
        keys.deleteWhere((it) => it.expiresAt <= message.createdAt);
        keys.put(projectId + key.key, key);
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
