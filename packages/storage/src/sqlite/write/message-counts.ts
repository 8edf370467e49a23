/**
 * How many deliveries of each message are in which state, so that a report on
 * a message never walks its deliveries.
 */

import type { DatabaseSync } from "node:sqlite";
import { stateCodes } from "../schema/codes.ts";

/** Changes of counts, gathered per operation and written once per message. */
export class CountChanges {
  /** Message → change by state. */
  readonly changes = new Map<number, number[]>();

  /** A delivery came to be in `state`. */
  add(messageSeq: number, state: number): void {
    this.#change(messageSeq, state, 1);
  }

  /** A delivery went from one state to another. */
  move(messageSeq: number, from: number, to: number): void {
    if (from === to) return;
    this.#change(messageSeq, from, -1);
    this.#change(messageSeq, to, 1);
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

export function createCounts(db: DatabaseSync) {
  const add = db.prepare(
    `INSERT INTO message_counts (message_seq, ${countColumns.join(", ")})
     VALUES (?${", ?".repeat(countColumns.length)})
     ON CONFLICT DO UPDATE SET
       ${countColumns.map((name) => `${name} = ${name} + excluded.${name}`)}`,
  );
  return {
    add(countChanges: CountChanges): void {
      for (const [messageSeq, changes] of countChanges.changes) {
        add.run(messageSeq, ...changes);
      }
    },
  };
}
