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
    push(groups, state, hour, target);
  }

  /** Those of another one, too. */
  merge({ byMessage }: SettledCounts): void {
    for (const [messageSeq, others] of byMessage) {
      const own = this.byMessage.get(messageSeq);
      if (own === undefined) {
        this.byMessage.set(messageSeq, others);
        continue;
      }
      for (const { state, hour, targets } of others) {
        for (const target of targets) push(own, state, hour, target);
      }
    }
  }
}

function push(
  groups: Group[],
  state: number,
  hour: number | null,
  target: number,
): void {
  // Few: most of a message's deliveries end alike and within the hour.
  const group = groups.find((it) => it.state === state && it.hour === hour);
  if (group) group.targets.push(target);
  else groups.push({ state, hour, targets: [target] });
}

type CountRow = [
  topicSeq: number,
  protocol: string,
  createdAt: EpochMs,
  count: number,
];

/** Answers what adds to the counts. */
export function createStatistics(db: DatabaseSync) {
  /** Of a message to topics, as far as these were not deleted. */
  const from = `CROSS JOIN subscriptions AS s ON s.seq = t.value
     CROSS JOIN topics ON topics.seq = s.topic_seq
       AND topics.deleted_at IS NULL
     CROSS JOIN messages AS m ON m.seq = ? AND m.audience IN
       (${audienceCodes.topic}, ${audienceCodes.topics})`;
  const columns = "s.topic_seq, s.protocol, m.created_at";
  /** Parameters: number of a subscription, message. Index: primary keys. */
  const ofOne = prepareQuery<CountRow>(
    db,
    `SELECT ${columns}, 1 FROM (SELECT ? AS value) AS t ${from}`,
  );
  /** The same for several, as JSON. */
  const ofSeveral = prepareQuery<CountRow>(
    db,
    `SELECT ${columns}, count(*) FROM json_each(?) AS t ${from}
     GROUP BY s.topic_seq, s.protocol`,
  );
  const add = db.prepare(
    `INSERT INTO topic_statistics (topic_seq, hour, protocol, state, count)
     VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  );
  return ({ byMessage }: SettledCounts): void => {
    for (const [messageSeq, groups] of byMessage) {
      for (const { state, hour, targets } of groups) {
        const [one = 0] = targets;
        // Of an event there is one: grouping it would take as long as the rest.
        const rows =
          targets.length === 1
            ? ofOne.all(one, messageSeq)
            : ofSeveral.all(JSON.stringify(targets), messageSeq);
        for (const [topicSeq, protocol, createdAt, count] of rows) {
          const of = hour ?? Math.floor(createdAt / hourMs);
          add.run(topicSeq, of, protocol, state, count);
        }
      }
    }
  };
}
