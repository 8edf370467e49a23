/** Counters of the in-memory store. */

import {
  addToCounter,
  type Counter,
  type CounterKind,
  type CounterStore,
  checkCounterChange,
  checkCounterKeys,
  type KeptCounter,
  toCounter,
} from "@carillon/core";
import type { Holds } from "./holds.ts";
import type { Tables } from "./tables.ts";

export function createCounterStore(tables: Tables, holds: Holds): CounterStore {
  const { counters, write } = tables;
  return {
    async changeCounters(rule, { removed = [], added }) {
      checkCounterChange(rule, { removed, added });
      return await write(() => {
        const { kind, maxCounters } = rule;
        const now = holds.now();
        const changed = new Map<string, KeptCounter | undefined>(
          removed.map((key) => [counterKey(kind, key), undefined]),
        );
        const answers: Counter[] = [];
        for (const addition of added) {
          const id = counterKey(kind, addition.key);
          const known = changed.has(id) ? changed.get(id) : counters.get(id);
          const next = addToCounter(known, addition, rule, now);
          if (!next) return undefined;
          changed.set(id, next);
          const answer = toCounter(next, now);
          if (answer) answers.push(answer);
        }
        for (const [id, next] of changed) {
          if (next) counters.put(id, { ...next, kind });
          else counters.delete(id);
        }
        const firstToEnd = counters
          .entries()
          .filter(([, row]) => row.kind === kind)
          .sort(([, a], [, b]) => a.endsAt - b.endsAt);
        const surplus = Math.max(0, firstToEnd.length - maxCounters);
        for (const [id] of firstToEnd.slice(0, surplus)) counters.delete(id);
        return answers;
      });
    },
    async readCounters(kind, keys) {
      checkCounterKeys(keys);
      const now = holds.now();
      return keys.map((key) =>
        toCounter(counters.get(counterKey(kind, key)), now),
      );
    },
    removeEndedCounters: (limit) =>
      write(() => {
        const now = holds.now();
        const ended = counters
          .entries()
          .filter(([, { endsAt }]) => endsAt <= now)
          .slice(0, limit);
        for (const [id] of ended) counters.delete(id);
        return ended.length;
      }),
  };
}

/** No key has a space in it. */
export function counterKey(kind: CounterKind, key: string): string {
  return `${kind} ${key}`;
}
