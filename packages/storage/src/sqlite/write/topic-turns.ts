/**
 * The topics of a message to several: each is walked when those before it are.
 * What a subscriber lost with one of them is handed over to the others.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { handedOverPosition } from "@carillon/core/rules";
import { audienceCodes } from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";
import { createCut } from "./range-cuts.ts";

type Turn = readonly [position: number, topicSeq: number];

export function createTopicTurns(db: DatabaseSync) {
  /**
   * The next topic that has anybody to send to, or, for `orCancelled`, to tell
   * that it was deleted. Parameters: message, position. Indexes: the primary key,
   * subscriptions_active.
   */
  const nextTurn = (orCancelled: boolean) =>
    prepareQuery<Turn>(
      db,
      `SELECT t.position, t.topic_seq FROM message_topics AS t
       WHERE t.message_seq = ? AND t.position > ?
         AND NOT EXISTS (SELECT 1 FROM messages AS m
                         WHERE m.seq = t.message_seq
                           AND m.cancelled_at IS NOT NULL)
         AND EXISTS (
           SELECT 1 FROM subscriptions AS s INDEXED BY subscriptions_active
           WHERE s.topic_seq = t.topic_seq AND s.status IN (1, 2, 5)
             ${orCancelled ? "" : "AND s.status < 4"})
       ORDER BY t.position LIMIT 1`,
    );
  const firstTurn = nextTurn(false);
  const laterTurn = nextTurn(true);
  /** Parameters: message, topic, position. Index: the primary key. */
  const openRange = prepareQuery<[number]>(
    db,
    `SELECT 1 FROM ranges
     WHERE message_seq = ? AND topic_seq = ? AND topic_position = ? LIMIT 1`,
  );
  /** Parameters: topic. Index: the primary key. */
  const subscriptionCount = prepareQuery<[count: number]>(
    db,
    "SELECT subscription_count FROM topics WHERE seq = ?",
  );
  const { addRest } = createCut(db);

  return {
    findFirst: (messageSeq: number): Turn | undefined =>
      firstTurn.get(messageSeq, -1),
    /**
     * A range of a topic was ended. If it was the topic's last one, the next topic
     * gets its range; answers how many recipients, about, are in it.
     */
    advance(
      messageSeq: number,
      topicSeq: number,
      position: number,
      orderingKey: string | null,
      now: EpochMs,
    ): number | undefined {
      if (openRange.get(messageSeq, topicSeq, position)) return undefined;
      const next = laterTurn.get(messageSeq, position);
      if (next === undefined) return undefined;
      const [nextPosition, nextTopic] = next;
      addRest(messageSeq, nextTopic, 0, null, now, nextPosition, orderingKey);
      return Math.max(1, subscriptionCount.get(nextTopic)?.[0] ?? 0);
    },
  };
}

/**
 * Hands a cancelled delivery over to the subscriber's other subscriptions: one
 * that has no delivery because of it is looked at once more. One whose topic's turn
 * is still to come needs nothing.
 */
export function createHandover(db: DatabaseSync) {
  /** Of one that nobody cancelled. Parameters: message. Index: the primary key. */
  const audienceOf = prepareQuery<
    [audience: number, orderingKey: string | null]
  >(
    db,
    `SELECT audience, project_id || ' ' || (details ->> 'orderingKey')
     FROM messages WHERE seq = ? AND cancelled_at IS NULL`,
  );
  /**
   * Active subscriptions of the same endpoint whose topics were walked already,
   * and that have no delivery of the message.
   * Parameters: message, target. Indexes: the primary keys,
   * subscriptions_endpoint.
   */
  const passedOver = prepareQuery<[topicSeq: number, target: number]>(
    db,
    `SELECT s.topic_seq, s.seq FROM message_topics AS t
     CROSS JOIN subscriptions AS own ON own.seq = ?2
     CROSS JOIN subscriptions AS s INDEXED BY subscriptions_endpoint
       ON s.endpoint = own.endpoint AND s.topic_seq = t.topic_seq
         AND s.protocol = own.protocol AND s.status < 4
     WHERE t.message_seq = ?1 AND s.seq <> own.seq AND s.status IN (1, 2)
       AND NOT EXISTS (SELECT 1 FROM deliveries AS d
                       WHERE d.message_seq = ?1 AND d.target = s.seq)
       AND NOT EXISTS (SELECT 1 FROM ranges AS r
                       WHERE r.message_seq = ?1
                         AND r.topic_position < ${handedOverPosition}
                         AND (r.topic_position < t.position
                           OR r.topic_seq = s.topic_seq
                             AND r.after_target < s.seq
                             AND coalesce(r.upto_target, s.seq) >= s.seq))`,
  );
  /** Parameters: message, topic, after, up to, when it is due, ordering key. */
  const insert = db.prepare(
    `INSERT INTO ranges (message_seq, topic_seq, topic_position, after_target,
       upto_target, due_at, fence, ordering_key)
     VALUES (?, ?, ${handedOverPosition}, ?, ?, ?, 0, ?)
     ON CONFLICT DO NOTHING`,
  );
  return (messageSeq: number, target: number, now: EpochMs): void => {
    const [audience, orderingKey = null] = audienceOf.get(messageSeq) ?? [];
    if (audience !== audienceCodes.topics) return;
    for (const [topicSeq, other] of passedOver.all(messageSeq, target)) {
      insert.run(messageSeq, topicSeq, other - 1, other, now, orderingKey);
    }
  };
}
