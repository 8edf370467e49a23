/** Cutting of ranges to a size. */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { prepareQuery } from "../schema/query.ts";

/** Cuts ranges to size. */
export function createCut(db: DatabaseSync) {
  /**
   * The last recipient of a range of a given size, and the one behind it.
   * Parameters: topic, after, up to, size less one. Index:
   * subscriptions_active, in which the row number is the hidden last column;
   * walks as many of its entries as the size says.
   */
  const around = prepareQuery<[target: number]>(
    db,
    `SELECT seq FROM subscriptions INDEXED BY subscriptions_active
     WHERE topic_seq = ? AND status IN (1, 2, 5) AND seq > ? AND seq <= ?
     ORDER BY seq LIMIT 2 OFFSET ?`,
  );
  /**
   * Parameters: message, topic, its position, after, up to, when it is due, its
   * ordering key.
   */
  const insert = db.prepare(
    `INSERT INTO ranges (message_seq, topic_seq, topic_position, after_target,
       upto_target, due_at, fence, ordering_key)
     VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
  );
  return {
    /** Where to cut; `undefined` when it has no more than `size` recipients. */
    find(
      topicSeq: number,
      afterTarget: number,
      uptoTarget: number | null,
      size: number,
    ): number | undefined {
      const upto = uptoTarget ?? Number.MAX_SAFE_INTEGER;
      const [last, next] = around.all(topicSeq, afterTarget, upto, size - 1);
      return next && last?.[0];
    },
    /**
     * What is behind the cut, for anybody to claim.
     *
     * @param dueAt `null`: an earlier message of its ordering key comes first
     * @param position of the topic; `null` when it is the message's only one
     */
    addRest(
      messageSeq: number,
      topicSeq: number,
      afterTarget: number,
      uptoTarget: number | null,
      dueAt: EpochMs | null,
      position: number | null,
      orderingKey: string | null,
    ): void {
      insert.run(
        messageSeq,
        topicSeq,
        position,
        afterTarget,
        uptoTarget,
        dueAt,
        orderingKey,
      );
    },
  };
}
