/** Writes of counters. */

import type { DatabaseSync } from "node:sqlite";
import type {
  Counter,
  CounterChange,
  CounterKind,
  CounterRule,
  EpochMs,
} from "@carillon/core";
import {
  addToCounter,
  counterKinds,
  type KeptCounter,
  toCounter,
} from "@carillon/core/rules";
import { type CounterRow, counters } from "../schema/counter-table.ts";
import { prepareQuery } from "../schema/query.ts";

/** Counters that have ended and go with a change. */
const removedWithEach = 4;

export function createCounterWrites(db: DatabaseSync) {
  const find = prepareQuery<CounterRow>(
    db,
    `SELECT ${counters.columns()} FROM counters WHERE kind = ? AND key = ?`,
  );
  const put = db.prepare(counters.replace("kind", "key"));
  const remove = db.prepare("DELETE FROM counters WHERE kind = ? AND key = ?");
  /** Parameter: kind. Index: counters_end. */
  const sizeOf = prepareQuery<[count: number]>(
    db,
    "SELECT count(*) FROM counters WHERE kind = ?",
  );
  /** Parameters: kind, how many. Index: counters_end. */
  const removeFirstToEnd = db.prepare(
    `DELETE FROM counters WHERE (kind, key) IN
       (SELECT kind, key FROM counters WHERE kind = ? ORDER BY ends_at LIMIT ?)`,
  );
  /** Parameters: now, how many. Index: counters_end, at each kind. */
  const removeEnded = db.prepare(
    `DELETE FROM counters WHERE (kind, key) IN
       (SELECT kind, key FROM counters
        WHERE kind IN (${counterKinds.map((kind) => `'${kind}'`).join(", ")})
          AND ends_at <= ? LIMIT ?)`,
  );

  /**
   * How many counters of a kind may come before they are counted again: counting
   * 20,000 takes a millisecond, and whoever guesses from many addresses makes a
   * new one with each guess. A transaction that fails makes it inexact by what
   * it had removed.
   */
  const room = new Map<CounterKind, { left: number; maxCounters: number }>();

  function bound({ kind, maxCounters }: CounterRule, grownBy: number): void {
    const known = room.get(kind);
    if (known?.maxCounters === maxCounters && known.left >= grownBy) {
      known.left -= grownBy;
      return;
    }
    const size = sizeOf.get(kind)?.[0] ?? 0;
    if (size <= maxCounters) {
      room.set(kind, { left: maxCounters - size, maxCounters });
      return;
    }
    const spare = Math.floor(maxCounters / 64);
    removeFirstToEnd.run(kind, size - maxCounters + spare);
    room.set(kind, { left: spare, maxCounters });
  }

  return {
    changeCounters(
      rule: CounterRule,
      { removed = [], added }: CounterChange,
      now: EpochMs,
    ): Counter[] | undefined {
      const { kind } = rule;
      // Decided before anything is written: a refusal then writes nothing.
      const changed = new Map<string, KeptCounter | undefined>(
        removed.map((key) => [key, undefined]),
      );
      let grownBy = 0;
      const answers: Counter[] = [];
      for (const addition of added) {
        const { key } = addition;
        const row = find.get(kind, key);
        if (row === undefined) grownBy++;
        const known = changed.has(key)
          ? changed.get(key)
          : row && counters.fromRow(row);
        const next = addToCounter(known, addition, rule, now);
        if (!next) return undefined;
        changed.set(key, next);
        const answer = toCounter(next, now);
        if (answer) answers.push(answer);
      }
      for (const [key, next] of changed) {
        if (next) put.run(...counters.toRow({ kind, key, ...next }));
        else remove.run(kind, key);
      }
      removeEnded.run(now, removedWithEach);
      if (grownBy > 0) bound(rule, grownBy);
      return answers;
    },
    removeEndedCounters: (now: EpochMs, limit: number): number =>
      Number(removeEnded.run(now, limit).changes),
  };
}
