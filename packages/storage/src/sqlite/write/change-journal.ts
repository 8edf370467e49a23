/**
 * What the operations of a transaction changed that is worth telling. Written
 * as one row before the commit, so that it is kept if they are, and only then.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, Occurrence } from "@carillon/core";
import { toRuns } from "@carillon/core/rules";
import { encodeChanges, type OccurrenceData } from "../schema/change-table.ts";

/** A delivery that is in another state, as three numbers in a row. */
const transitionWidth = 3;

export class ChangeJournal {
  readonly #settled: readonly boolean[];
  readonly #insert: (at: EpochMs, data: string) => void;
  /** Message, target, state; message, target, state; … */
  #transitions: number[] = [];
  #occurrences: OccurrenceData[] = [];
  /** Where in `#transitions` each operation begins. */
  #begins: number[] = [];
  #at: EpochMs | undefined;

  /** `settled`: by state, whether it is told. */
  constructor(db: DatabaseSync, settled: readonly boolean[]) {
    this.#settled = settled;
    const insert = db.prepare("INSERT INTO changes (at, data) VALUES (?, ?)");
    this.#insert = (at, data) => insert.run(at, data);
  }

  /** Notes what an operation changed: message, target and state of each. */
  addTransitions(transitions: readonly number[], at: EpochMs): void {
    const from = this.#transitions.length;
    for (let n = 0; n < transitions.length; n += transitionWidth) {
      const state = transitions[n + 2] ?? 0;
      if (!this.#settled[state]) continue;
      this.#transitions.push(
        transitions[n] ?? 0,
        transitions[n + 1] ?? 0,
        state,
      );
    }
    if (this.#transitions.length === from) return;
    this.#begins.push(from);
    this.#noteTime(at);
  }

  addOccurrence(
    { type, projectId, about }: Omit<Occurrence, "kind">,
    at: EpochMs,
  ): void {
    this.#occurrences.push([type, projectId, about]);
    this.#noteTime(at);
  }

  /** How much is noted, for {@link takeBack}. */
  mark(): readonly [number, number, number] {
    return [
      this.#transitions.length,
      this.#occurrences.length,
      this.#begins.length,
    ];
  }

  /** Forgets what was noted since: its operation was undone. */
  takeBack([transitions, occurrences, begins]: readonly [
    number,
    number,
    number,
  ]): void {
    this.#transitions.length = transitions;
    this.#occurrences.length = occurrences;
    this.#begins.length = begins;
  }

  /** Forgets all: the transaction was undone. */
  clear(): void {
    this.takeBack([0, 0, 0]);
    this.#at = undefined;
  }

  /** Writes what was noted; answers whether there was anything. */
  write(): boolean {
    const at = this.#at;
    const isEmpty =
      this.#transitions.length === 0 && this.#occurrences.length === 0;
    if (isEmpty || at === undefined) return false;
    this.#insert(at, encodeChanges(this.#groups(), this.#occurrences));
    this.clear();
    return true;
  }

  /**
   * Message, state, number of runs, runs; … Grouped within an operation, which
   * changes a delivery once, and not beyond: so what happened to a delivery
   * stays in order.
   */
  #groups(): number[] {
    const encoded: number[] = [];
    for (const [n, from] of this.#begins.entries()) {
      const to = this.#begins[n + 1] ?? this.#transitions.length;
      if (to - from === transitionWidth) {
        // The usual case: one delivery.
        const [message = 0, target = 0, state = 0] = this.#transitions.slice(
          from,
          to,
        );
        encoded.push(message, state, 2, target, target);
        continue;
      }
      for (const { message, state, targets } of groupsOf(
        this.#transitions,
        from,
        to,
      )) {
        const runs = toRuns(targets);
        encoded.push(message, state, runs.length);
        for (const bound of runs) encoded.push(bound);
      }
    }
    return encoded;
  }

  #noteTime(at: EpochMs): void {
    if (this.#at === undefined || at > this.#at) this.#at = at;
  }
}

interface Group {
  readonly message: number;
  readonly state: number;
  readonly targets: number[];
}

/** In the order in which each is first met. */
function groupsOf(
  transitions: readonly number[],
  from: number,
  to: number,
): Iterable<Group> {
  const groups = new Map<string, Group>();
  let last: Group | undefined;
  for (let n = from; n < to; n += transitionWidth) {
    const [message = 0, target = 0, state = 0] = [
      transitions[n],
      transitions[n + 1],
      transitions[n + 2],
    ];
    if (last?.message !== message || last.state !== state) {
      const key = `${message} ${state}`;
      last = groups.get(key);
      if (last === undefined) {
        last = { message, state, targets: [] };
        groups.set(key, last);
      }
    }
    last.targets.push(target);
  }
  return groups.values();
}
