/**
 * How many deliveries of each message are in which state, so that a report on
 * a message never walks its deliveries.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { stateCodes } from "../schema/codes.ts";
import type { ChangeJournal } from "./change-journal.ts";

/** Changes of counts, gathered per operation and written once per message. */
export class CountChanges {
  /** Message → change by state. */
  readonly changes = new Map<number, number[]>();
  /** Message, target and new state of each delivery, one after another. */
  readonly transitions: number[] = [];

  /** A delivery came to be in `state`. */
  add(messageSeq: number, target: number, state: number): void {
    this.#change(messageSeq, state, 1);
    this.#note(messageSeq, target, state);
  }

  /** A delivery went from one state to another. */
  move(messageSeq: number, target: number, from: number, to: number): void {
    if (from === to) return;
    this.#change(messageSeq, from, -1);
    this.#change(messageSeq, to, 1);
    this.#note(messageSeq, target, to);
  }

  /** Of a delivery that goes two steps at once the last one counts. */
  #note(messageSeq: number, target: number, state: number): void {
    const { transitions } = this;
    const last = transitions.length - 3;
    if (transitions[last] === messageSeq && transitions[last + 1] === target) {
      transitions[last + 2] = state;
    } else transitions.push(messageSeq, target, state);
  }

  #change(messageSeq: number, state: number, by: number): void {
    let changes = this.changes.get(messageSeq);
    if (changes === undefined) {
      changes = new Array<number>(countColumns.length).fill(0);
      this.changes.set(messageSeq, changes);
    }
    changes[state] = (changes[state] ?? 0) + by;
  }
}

/** The column of each state, in the order of their codes. */
export const countColumns = Object.entries(stateCodes)
  .sort(([, a], [, b]) => a - b)
  .map(([state]) => state);

/** What is counted is told, too: see the journal. */
export function createCounts(db: DatabaseSync, journal: ChangeJournal) {
  const add = db.prepare(
    `INSERT INTO message_counts (message_seq, ${countColumns.join(", ")})
     VALUES (?${", ?".repeat(countColumns.length)})
     ON CONFLICT DO UPDATE SET
       ${countColumns.map((name) => `${name} = ${name} + excluded.${name}`)}`,
  );
  return {
    /** `at`: when the changes happened. */
    add(countChanges: CountChanges, at: EpochMs): void {
      for (const [messageSeq, changes] of countChanges.changes) {
        add.run(messageSeq, ...changes);
      }
      journal.addTransitions(countChanges.transitions, at);
    },
  };
}
