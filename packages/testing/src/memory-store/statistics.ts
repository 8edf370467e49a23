/** Counts of the in-memory store: what came to rest, by topic and hour. */

import {
  addMs,
  type DeliveryOutcome,
  type EpochMs,
  hourMs,
  type StatisticsReader,
  toTopic,
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
  const message = getMessage(tables, messageSeq);
  const { audience, createdAt } = message;
  const subscription = tables.subscriptions.get(target);
  const { topic } = toTopic(message, subscription?.topicSeq);
  const protocol = subscription?.protocol;
  const isOfTopic = audience === "topic" || audience === "topics";
  if (!isOfTopic || !topic || !protocol) return;
  const instant = at ?? createdAt;
  const hour = addMs(instant, -(instant % hourMs));
  const key = `${topic.seq} ${hour} ${protocol} ${state}`;
  const count = (tables.statistics.get(key)?.count ?? 0) + 1;
  const row = { topicSeq: topic.seq, hour, protocol, state, count };
  tables.statistics.put(key, row);
}
