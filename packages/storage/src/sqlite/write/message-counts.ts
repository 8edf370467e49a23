/**
 * How many deliveries of each message are in which state, so that a report on
 * a message never walks its deliveries.
 */

import type { DatabaseSync } from "node:sqlite";
import { deliveryStates, isSettled } from "@carillon/core/rules";
import { stateCodes } from "../schema/codes.ts";
import type { ToldDeliveries } from "./change-journal.ts";

interface Told extends ToldDeliveries {
  readonly targets: number[];
}

/** By state. */
const isTold: boolean[] = [];
for (const state of deliveryStates)
  isTold[stateCodes[state]] = isSettled(state);

/** Beyond so many groups a further one is not looked for. */
const maxSearched = 16;

/** Changes of counts, gathered per operation and written once per message. */
export class CountChanges {
  /** Message → change by state. */
  readonly changes = new Map<number, number[]>();
  /** Mailboxes in which there may be something to fetch now. */
  readonly readyMailboxes = new Set<number>();
  /** Those that came to a state that is told. */
  readonly told: Told[] = [];

  /** A delivery came to be in `state`. */
  add(messageSeq: number, target: number, state: number): void {
    this.#change(messageSeq, state, 1);
    this.#note(messageSeq, target, state);
  }

  /** The same of one that did so elsewhere, long ago: that is told to nobody. */
  addUntold(messageSeq: number, state: number): void {
    this.#change(messageSeq, state, 1);
  }

  /** So many more of those that failed are ones that no mailbox took. */
  addUnqueued(messageSeq: number, by: 1 | -1): void {
    this.#change(messageSeq, countColumns.length, by);
  }

  /** A delivery went from one state to another. */
  move(messageSeq: number, target: number, from: number, to: number): void {
    if (from === to) return;
    this.#change(messageSeq, from, -1);
    this.#change(messageSeq, to, 1);
    this.#note(messageSeq, target, to);
  }

  /** It goes back to what it was before a claim: that is told no second time. */
  moveBack(messageSeq: number, from: number, to: number): void {
    if (from === to) return;
    this.#change(messageSeq, from, -1);
    this.#change(messageSeq, to, 1);
  }

  /** Of a delivery that goes two steps at once the last one counts. */
  #note(messageSeq: number, target: number, state: number): void {
    const { told } = this;
    let group = told[told.length - 1];
    if (group?.messageSeq === messageSeq) {
      const { targets } = group;
      if (targets[targets.length - 1] === target) targets.pop();
    }
    if (!isTold[state]) return;
    if (group?.messageSeq !== messageSeq || group.state !== state) {
      // Few of a range: most of its deliveries end alike. Of many messages each
      // has a group of its own anyway.
      group =
        told.length > maxSearched
          ? undefined
          : told.find(
              (it) => it.messageSeq === messageSeq && it.state === state,
            );
      if (group === undefined) {
        group = { messageSeq, state, targets: [] };
        told.push(group);
      }
    }
    group.targets.push(target);
  }

  /** The changes of another one, too; what is told is not among them. */
  merge({ changes }: CountChanges): void {
    for (const [messageSeq, others] of changes) {
      const own = this.changes.get(messageSeq);
      if (own === undefined) this.changes.set(messageSeq, others);
      else for (const [n, by] of others.entries()) own[n] = (own[n] ?? 0) + by;
    }
  }

  /** Behind the last state stands what no mailbox took. */
  #change(messageSeq: number, state: number, by: number): void {
    let changes = this.changes.get(messageSeq);
    if (changes === undefined) {
      changes = new Array<number>(countColumns.length + 1).fill(0);
      this.changes.set(messageSeq, changes);
    }
    changes[state] = (changes[state] ?? 0) + by;
  }
}

/** The column of each state, in the order of their codes. */
export const countColumns = Object.entries(stateCodes)
  .sort(([, a], [, b]) => a - b)
  .map(([state]) => state);

/** Answers what writes changes of counts. */
export function createCounts(db: DatabaseSync) {
  const columns = [...countColumns, "unqueued"];
  const add = db.prepare(
    `INSERT INTO message_counts (message_seq, ${columns.join(", ")})
     VALUES (?${", ?".repeat(columns.length)})
     ON CONFLICT DO UPDATE SET
       ${columns.map((name) => `${name} = ${name} + excluded.${name}`)}`,
  );
  return ({ changes }: CountChanges): void => {
    for (const [messageSeq, by] of changes) add.run(messageSeq, ...by);
  };
}
