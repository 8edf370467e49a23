/**
 * Counts of deliveries that came to rest, by topic and hour, so that a report
 * never walks deliveries.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { audienceCodes } from "../schema/codes.ts";
import { prepareQuery } from "../schema/query.ts";

const hourMs = 3_600_000;

interface Group {
  readonly state: number;
  /** `null`: nobody said when. */
  readonly hour: number | null;
  readonly targets: number[];
}

/** Deliveries that came to rest, gathered per operation. */
export class SettledCounts {
  readonly byMessage = new Map<number, Group[]>();

  add(
    messageSeq: number,
    target: number,
    state: number,
    at: EpochMs | null,
  ): void {
    const hour = at === null ? null : Math.floor(at / hourMs);
    let groups = this.byMessage.get(messageSeq);
    if (groups === undefined) {
      groups = [];
      this.byMessage.set(messageSeq, groups);
    }
    // Few: most of a message's deliveries end alike and within the hour.
    const group = groups.find((it) => it.state === state && it.hour === hour);
    if (group) group.targets.push(target);
    else groups.push({ state, hour, targets: [target] });
  }
}

export function createStatistics(db: DatabaseSync) {
  /**
   * The topic of a message, NULL for one to several. Deleted topics have no
   * counts. Parameters: message. Index: primary keys.
   */
  const topicOf = prepareQuery<[topicSeq: number | null, createdAt: EpochMs]>(
    db,
    `SELECT m.topic_seq, m.created_at FROM messages AS m
     LEFT JOIN topics AS t ON t.seq = m.topic_seq
     WHERE m.seq = ? AND (m.audience = ${audienceCodes.topics}
       OR m.audience = ${audienceCodes.topic} AND t.seq IS NOT NULL
         AND t.deleted_at IS NULL)`,
  );
  /**
   * The same as `protocols` by topic, of a message to several; of those that were
   * not deleted.
   */
  const topicProtocols = prepareQuery<
    [topicSeq: number, protocol: string, count: number]
  >(
    db,
    `SELECT s.topic_seq, s.protocol, count(*) FROM json_each(?) AS t
     CROSS JOIN subscriptions AS s ON s.seq = t.value
     CROSS JOIN topics ON topics.seq = s.topic_seq
       AND topics.deleted_at IS NULL
     GROUP BY s.topic_seq, s.protocol`,
  );
  /** Parameters: numbers of subscriptions, as JSON. Index: the primary key. */
  const protocols = prepareQuery<[protocol: string, count: number]>(
    db,
    `SELECT s.protocol, count(*) FROM json_each(?) AS t
     CROSS JOIN subscriptions AS s ON s.seq = t.value
     GROUP BY s.protocol`,
  );
  const add = db.prepare(
    `INSERT INTO topic_statistics (topic_seq, hour, protocol, state, count)
     VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  return {
    add({ byMessage }: SettledCounts): void {
      for (const [messageSeq, groups] of byMessage) {
        const message = topicOf.get(messageSeq);
        if (message === undefined) continue;
        const [topicSeq, createdAt] = message;
        for (const { state, hour, targets } of groups) {
          const of = hour ?? Math.floor(createdAt / hourMs);
          const list = JSON.stringify(targets);
          const rows =
            topicSeq === null
              ? topicProtocols.all(list)
              : protocols.all(list).map((row) => [topicSeq, ...row] as const);
          for (const [topic, protocol, count] of rows) {
            add.run(topic, of, protocol, state, count);
          }
        }
      }
    },
  };
}
