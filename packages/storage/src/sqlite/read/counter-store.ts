/** Counters in SQLite. */

import {
  type Clock,
  type CounterStore,
  checkCounterChange,
  checkCounterKeys,
  toCounter,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type CounterRow, counters } from "../schema/counter-table.ts";

/** `clock`: on which windows begin and end. */
export function createCounterStore(
  { reader, writer }: Connections,
  clock: Pick<Clock, "now">,
): CounterStore {
  /** Asked with each password. Index: the primary key. */
  const find = reader.prepare<CounterRow>(
    `SELECT ${counters.columns()} FROM counters WHERE kind = ? AND key = ?`,
  );
  return {
    async changeCounters(rule, change) {
      checkCounterChange(rule, change);
      return await writer.run("changeCounters", rule, change, clock.now());
    },
    async readCounters(kind, keys) {
      checkCounterKeys(keys);
      const now = clock.now();
      return keys.map((key) => {
        const row = find.get(kind, key);
        return row && toCounter(counters.fromRow(row), now);
      });
    },
    removeEndedCounters: (limit) =>
      writer.run("removeEndedCounters", clock.now(), limit),
  };
}
