/** Counts of the in-memory store: what came to rest, by topic and hour. */

import {
  addMs,
  type DeliveryOutcome,
  type EpochMs,
  hourMs,
  type StatisticsReader,
} from "@carillon/core";
import { getMessage } from "./ledger.ts";
import type { Tables } from "./tables.ts";

export function createStatisticsReader({
  statistics,
}: Tables): StatisticsReader {
  return {
    async readStatistics(topicSeq, from, until) {
      return statistics
        .list()
        .filter((it) => it.topicSeq === topicSeq)
        .filter(({ hour }) => hour >= from && hour < until)
        .sort((a, b) => a.hour - b.hour)
        .map(({ topicSeq: _, ...count }) => count);
    },
  };
}

/** A delivery came to rest; by default when its last attempt was. */
export function countSettled(
  tables: Tables,
  { messageSeq, target, state, lastAttempt }: DeliveryOutcome,
  at: EpochMs | undefined = lastAttempt?.at,
): void {
  const { audience, topic, createdAt } = getMessage(tables, messageSeq);
  const protocol = tables.subscriptions.get(target)?.protocol;
  if (audience !== "topic" || !topic || !protocol) return;
  const instant = at ?? createdAt;
  const hour = addMs(instant, -(instant % hourMs));
  const key = `${topic.seq} ${hour} ${protocol} ${state}`;
  const count = (tables.statistics.get(key)?.count ?? 0) + 1;
  const row = { topicSeq: topic.seq, hour, protocol, state, count };
  tables.statistics.put(key, row);
}
