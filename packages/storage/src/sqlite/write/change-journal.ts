/**
 * What the operations of a transaction changed that is worth telling. Written
 * as one row before the commit, so that it is kept if they are, and only then.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, Occurrence } from "@carillon/core";
import { toRuns } from "@carillon/core/rules";
import { encodeChanges, type OccurrenceData } from "../schema/change-table.ts";
import { NotedOutcomes, type OutcomesMark } from "./queue-outcomes.ts";
import { ReadyMailboxes } from "./ready-mailboxes.ts";

/** Deliveries of a message that an operation brought to the same state. */
export interface ToldDeliveries {
  readonly messageSeq: number;
  readonly state: number;
  readonly targets: readonly number[];
}

type JournalMark = readonly [
  deliveries: number,
  occurrences: number,
  outcomes: OutcomesMark,
];

export class ChangeJournal {
  /** Not written: these go with the answer to the commit. */
  readonly readyMailboxes = new ReadyMailboxes();
  readonly queueOutcomes = new NotedOutcomes();
  readonly #insert: (at: EpochMs, data: string) => void;
  readonly #deliveries: ToldDeliveries[] = [];
  readonly #occurrences: OccurrenceData[] = [];
  #at: EpochMs | undefined;

  constructor(db: DatabaseSync) {
    const insert = db.prepare("INSERT INTO changes (at, data) VALUES (?, ?)");
    this.#insert = (at, data) => insert.run(at, data);
  }

  /** An operation changes a delivery once: of its groups none goes first. */
  addDeliveries(groups: readonly ToldDeliveries[], at: EpochMs): void {
    if (groups.length === 0) return;
    for (const group of groups) this.#deliveries.push(group);
    this.#noteTime(at);
  }

  addOccurrence(
    { type, projectId, about, ofMessage }: Omit<Occurrence, "kind">,
    at: EpochMs,
  ): void {
    this.#occurrences.push(
      ofMessage === undefined
        ? [type, projectId, about]
        : [type, projectId, about, ofMessage],
    );
    this.#noteTime(at);
  }

  /** How much is noted, for {@link takeBack}. */
  mark(): JournalMark {
    return [
      this.#deliveries.length,
      this.#occurrences.length,
      this.queueOutcomes.mark(),
    ];
  }

  /** Forgets what was noted since: its operation was undone. */
  takeBack([deliveries, occurrences, outcomes]: JournalMark): void {
    this.#deliveries.length = deliveries;
    this.#occurrences.length = occurrences;
    this.queueOutcomes.takeBack(outcomes);
  }

  /** Forgets all: the transaction was undone. */
  clear(): void {
    this.takeBack([0, 0, [0, 0]]);
    this.#at = undefined;
  }

  /** Writes what was noted; answers whether there was anything. */
  write(): boolean {
    const at = this.#at;
    const isEmpty =
      this.#deliveries.length === 0 && this.#occurrences.length === 0;
    if (isEmpty || at === undefined) return false;
    const encoded: number[] = [];
    for (const { messageSeq, state, targets } of this.#deliveries) {
      if (targets.length === 0) continue;
      const runs = toRuns(targets);
      encoded.push(messageSeq, state, runs.length);
      for (const bound of runs) encoded.push(bound);
    }
    this.#insert(at, encodeChanges(encoded, this.#occurrences));
    this.#deliveries.length = 0;
    this.#occurrences.length = 0;
    this.#at = undefined;
    return true;
  }

  #noteTime(at: EpochMs): void {
    if (this.#at === undefined || at > this.#at) this.#at = at;
  }
}
