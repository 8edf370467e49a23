/**
 * Counts texts in groups: what comes while the counts of others are changed is
 * counted by the next change, so that a thousand texts take a few of them. A text
 * that a limit refuses is counted nowhere.
 *
 *     take ─► waiting ─ next turn of the event loop ─► decide ─► add ─► done
 *                ▲                                         ▲        │
 *                └────────── more came ──────────          └─ read ─┘
 *                                               a limit refuses, or another
 *                                               process was first
 *
 * A crash after the change and before the texts are sent counts what did not go
 * out: too much is counted then, never too little.
 */

import { ProviderError } from "../errors.ts";
import {
  type GuardAddition,
  type GuardCounters,
  maxGuardKeys,
} from "./guard-counters.ts";
import type { Hold } from "./hold.ts";
import type { Count, SpendPeriod } from "./limit-counts.ts";

/** Spend that came to a counter: how much it is now, and was before. */
export interface SpendChange {
  readonly spend: SpendPeriod;
  readonly before: number;
  readonly after: number;
  readonly limit: number;
}

export interface CountGroupsOptions {
  readonly counters: GuardCounters;
  /** The counter of texts that are held for the reason. */
  readonly tallyOf: (hold: Hold) => GuardAddition;
  readonly onSpend: (change: SpendChange) => void;
  /** A text was held, for its cost would have exceeded a limit. */
  readonly onSpent: (spent: Omit<SpendChange, "before">) => void;
  /** What was held could not be counted as such. */
  readonly onFailed: (error: unknown) => void;
}

interface Waiting {
  readonly counts: readonly Count[];
  readonly settle: PromiseWithResolvers<Hold | undefined>;
}

/** Another process may be first so often before a text waits. */
const maxTries = 20;

/** Of an addition; what is more goes with the next change. */
const maxBy = 1_000_000_000;

export class CountGroups {
  readonly #options: CountGroupsOptions;
  readonly #waiting: Waiting[] = [];
  /** What was held and is not counted as such yet, by key. */
  readonly #tallies = new Map<string, GuardAddition>();
  #isWorking = false;

  constructor(options: CountGroupsOptions) {
    this.#options = options;
  }

  /** Counts a text, or answers the limit that refuses it. */
  take(counts: readonly Count[]): Promise<Hold | undefined> {
    const settle = Promise.withResolvers<Hold | undefined>();
    this.#waiting.push({ counts, settle });
    this.#wake();
    return settle.promise;
  }

  /** Adds to a counter that limits nothing, with the next change. */
  note(addition: GuardAddition): void {
    if (this.#tallies.size < maxTallies || this.#tallies.has(addition.key)) {
      addTally(this.#tallies, addition);
    }
    this.#wake();
  }

  #wake(): void {
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0 || this.#tallies.size > 0) {
      // Those who come together are here by then.
      await new Promise((resolve) => setImmediate(resolve));
      const group = this.#nextGroup();
      try {
        await this.#settle(group);
      } catch (error) {
        for (const { settle } of group) settle.reject(error);
        if (group.length === 0) this.#options.onFailed(error);
        // What was noted is figures for people; it goes with the next text.
        if (this.#waiting.length === 0) break;
      }
    }
    this.#isWorking = false;
  }

  /** As many as one change takes, with room for what is noted. */
  #nextGroup(): Waiting[] {
    const room = maxGuardKeys - maxTallies;
    const sums = new Map<string, number>();
    let taken = 0;
    for (const { counts } of this.#waiting) {
      const added = counts.filter(({ key }) => !sums.has(key)).length;
      const isTooMuch = counts.some(
        ({ key, by }) => (sums.get(key) ?? 0) + by > maxBy,
      );
      if (taken > 0 && (sums.size + added > room || isTooMuch)) break;
      for (const { key, by } of counts) {
        sums.set(key, (sums.get(key) ?? 0) + by);
      }
      taken++;
    }
    return this.#waiting.splice(0, taken);
  }

  async #settle(group: readonly Waiting[]): Promise<void> {
    const { counters, onSpend, onSpent } = this.#options;
    const keys = new Set(
      group.flatMap(({ counts }) => counts.map(({ key }) => key)),
    );
    for (let tries = 0; tries < maxTries; tries++) {
      const known = new Map<string, number>();
      // Mostly no limit is near: the counts are looked at once one refuses.
      const isBlind = tries === 0 && decide(group, known).full.every(isAbsent);
      if (keys.size > 0 && !isBlind) {
        const read = await counters.read([...keys]);
        for (const [n, key] of [...keys].entries()) {
          known.set(key, read[n] ?? 0);
        }
      }
      const { full, added } = decide(group, known);
      const holds = full.map((count) => count && toHold(count));
      const noted = new Map(this.#tallies);
      const tallies = this.#talliesOf(holds);
      const additions = [
        ...Array.from(added.values(), ({ count, by }) => toAddition(count, by)),
        ...tallies,
      ];
      const sums = additions.length === 0 ? [] : await counters.add(additions);
      if (sums === undefined) continue;
      this.#forget(noted);
      for (const [n, { count, by }] of [...added.values()].entries()) {
        const { spend, limit } = count;
        const after = sums[n] ?? 0;
        if (spend) onSpend({ spend, before: after - by, after, limit });
      }
      for (const count of full) {
        if (count?.spend === undefined) continue;
        const { key, spend, limit } = count;
        const after = (known.get(key) ?? 0) + (added.get(key)?.by ?? 0);
        onSpent({ spend, after, limit });
      }
      for (const [n, { settle }] of group.entries()) settle.resolve(holds[n]);
      return;
    }
    throw new ProviderError("The counts of the guard change all the time", {
      retryable: true,
    });
  }

  /** Of what was counted; what was noted meanwhile stays. */
  #forget(noted: ReadonlyMap<string, GuardAddition>): void {
    for (const [key, { by }] of noted) {
      const now = this.#tallies.get(key);
      if (now === undefined) continue;
      if (now.by > by) this.#tallies.set(key, { ...now, by: now.by - by });
      else this.#tallies.delete(key);
    }
  }

  /** What was noted before, and what these holds add to it. */
  #talliesOf(holds: readonly (Hold | undefined)[]): GuardAddition[] {
    const tallies = new Map(this.#tallies);
    for (const hold of holds) {
      if (hold !== undefined) addTally(tallies, this.#options.tallyOf(hold));
    }
    return [...tallies.values()].slice(0, maxTallies);
  }
}

/** Counters of held texts that wait for a change at most: reasons and hours. */
const maxTallies = 50;

function addTally(
  tallies: Map<string, GuardAddition>,
  addition: GuardAddition,
): void {
  const by = (tallies.get(addition.key)?.by ?? 0) + addition.by;
  tallies.set(addition.key, { ...addition, by: Math.min(by, maxBy) });
}

function toAddition(
  { key, limit, windowMs }: Count,
  by: number,
): GuardAddition {
  return { key, by, limit, windowMs };
}

interface Added {
  readonly count: Count;
  readonly by: number;
}

/** In the order in which the texts came; of each the limit that refuses it. */
function decide(
  group: readonly Waiting[],
  known: ReadonlyMap<string, number>,
): { full: (Count | undefined)[]; added: Map<string, Added> } {
  const added = new Map<string, Added>();
  const full = group.map(({ counts }) => {
    const first = counts.find(
      ({ key, by, limit }) =>
        (known.get(key) ?? 0) + (added.get(key)?.by ?? 0) + by > limit,
    );
    if (first !== undefined) return first;
    for (const count of counts) {
      const by = (added.get(count.key)?.by ?? 0) + count.by;
      added.set(count.key, { count, by });
    }
    return undefined;
  });
  return { full, added };
}

function isAbsent(count: Count | undefined): boolean {
  return count === undefined;
}

/** What a counter says of a text that it refuses. */
export function toHold({ reason, rule, otherwise }: Count): Hold {
  return {
    reason,
    error: `The guard held it: ${rule}, and these went out. ${otherwise}.`,
  };
}
