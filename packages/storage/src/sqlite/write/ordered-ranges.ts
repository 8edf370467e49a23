/**
 * Ranges of messages with an ordering key: those of a message are claimed when no
 * earlier one of its project with that key has any that is due. Its rows are in
 * all mailboxes then before those of the later one.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";

export function createOrderedRanges(db: DatabaseSync) {
  const earlierOf = (due: string) => `SELECT 1
    FROM ranges INDEXED BY ranges_ordered
    WHERE ordering_key = ?1 AND ${due} AND message_seq < ?2`;
  /** Parameters: key, message, now. Index: ranges_ordered. */
  const earlier = prepareQuery<[1]>(
    db,
    `${earlierOf("due_at IS NULL")} UNION ALL ${earlierOf("due_at <= ?3")}
     LIMIT 1`,
  );
  /** Parameters: message, topic, after. Index: the primary key. */
  const holdUp = db.prepare(
    `UPDATE ranges SET due_at = NULL
     WHERE message_seq = ? AND topic_seq = ? AND after_target = ?`,
  );
  /** Parameters: message. Index: the primary key. */
  const anyOf = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM ranges WHERE message_seq = ? LIMIT 1",
  );
  /** Of the earliest message that is held up. Parameters: key, now. */
  const free = prepareQuery<[topicSeq: number]>(
    db,
    `UPDATE ranges SET due_at = ?2
     WHERE ordering_key = ?1 AND due_at IS NULL AND message_seq =
       (SELECT message_seq FROM ranges INDEXED BY ranges_ordered
        WHERE ordering_key = ?1 AND due_at IS NULL
        ORDER BY message_seq LIMIT 1)
     RETURNING topic_seq`,
  );
  /** Parameters: topic. Index: the primary key. */
  const subscriptionCount = prepareQuery<[count: number]>(
    db,
    "SELECT subscription_count FROM topics WHERE seq = ?",
  );

  return {
    isHeldUp: (key: string, messageSeq: number, now: EpochMs): boolean =>
      earlier.get(key, messageSeq, now) !== undefined,
    /** Until {@link freeNext} finds it. */
    holdUp(messageSeq: number, topicSeq: number, afterTarget: number): void {
      holdUp.run(messageSeq, topicSeq, afterTarget);
    },
    /**
     * A range of a message was removed. If it was the last one, the next message
     * of its key may be claimed; answers how many recipients, about, that is.
     */
    freeNext(
      key: string,
      messageSeq: number,
      now: EpochMs,
    ): number | undefined {
      if (anyOf.get(messageSeq)) return undefined;
      const [topicSeq] = free.all(key, now)[0] ?? [];
      if (topicSeq === undefined) return undefined;
      return Math.max(1, subscriptionCount.get(topicSeq)?.[0] ?? 0);
    },
  };
}
