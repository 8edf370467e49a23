/** Statistics of topics, read from SQLite. */

import { hourMs, type StatisticsReader, toEpochMs } from "@carillon/core";
import { stateOf } from "../schema/codes.ts";
import type { Reader } from "./reader.ts";

export function createStatisticsReader(reader: Reader): StatisticsReader {
  /** Parameters: topic, first hour, hour behind the last. Index: the primary key. */
  const hours = reader.prepare<
    [hour: number, protocol: string, state: number, count: number]
  >(
    `SELECT hour, protocol, state, count FROM topic_statistics
     WHERE topic_seq = ? AND hour >= ? AND hour < ?
     ORDER BY hour, protocol, state`,
  );
  return {
    async readStatistics(topicSeq, from, until) {
      return hours
        .all(topicSeq, Math.ceil(from / hourMs), Math.ceil(until / hourMs))
        .map(([hour, protocol, state, count]) => ({
          hour: toEpochMs(hour * hourMs),
          protocol,
          state: stateOf(state),
          count,
        }));
    },
  };
}
