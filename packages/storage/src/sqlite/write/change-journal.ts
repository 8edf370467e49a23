/**
 * What the operations of a transaction changed that is worth telling, and what they
 * add up. Written before the commit, so that it is kept if they are, and only then:
 * the changes as one row, the sums once for each message, topic and hour, however
 * many operations touched it.
 */

import type { DatabaseSync } from "node:sqlite";
import type { EpochMs, Occurrence } from "@carillon/core";
import { toRuns } from "@carillon/core/rules";
import { encodeChanges, type OccurrenceData } from "../schema/change-table.ts";
import { CountChanges, createCounts } from "./message-counts.ts";
import { NotedOutcomes, type OutcomesMark } from "./queue-outcomes.ts";
import { ReadyMailboxes } from "./ready-mailboxes.ts";
import { createStatistics, SettledCounts } from "./statistics-writes.ts";

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
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #deliveries: ToldDeliveries[] = [];
  readonly #occurrences: OccurrenceData[] = [];
  #at: EpochMs | undefined;
  #counts = new CountChanges();
  #settled = new SettledCounts();
  /** By topic, its newest message. */
  readonly #latest = new Map<number, number>();

  constructor(db: DatabaseSync) {
    this.#statements = prepareStatements(db);
  }

  /** `at`: when the changes happened. What is counted is told, too. */
  addCounts(countChanges: CountChanges, at: EpochMs): void {
    this.#counts.merge(countChanges);
    this.#addDeliveries(countChanges.told, at);
    this.readyMailboxes.add(countChanges.readyMailboxes);
  }

  addSettled(settledCounts: SettledCounts): void {
    this.#settled.merge(settledCounts);
  }

  /** The message is its topic's newest one. */
  addLatest(topicSeq: number, messageSeq: number): void {
    this.#latest.set(topicSeq, messageSeq);
  }

  /** An operation changes a delivery once: of its groups none goes first. */
  #addDeliveries(groups: readonly ToldDeliveries[], at: EpochMs): void {
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

  /**
   * Forgets what was noted since: its operation was undone. Nothing was added up
   * before it, see {@link writeSums}.
   */
  takeBack([deliveries, occurrences, outcomes]: JournalMark): void {
    this.#deliveries.length = deliveries;
    this.#occurrences.length = occurrences;
    this.queueOutcomes.takeBack(outcomes);
    this.#clearSums();
  }

  /** Forgets all: the transaction was undone. */
  clear(): void {
    this.takeBack([0, 0, [0, 0]]);
    this.#at = undefined;
  }

  /**
   * Writes what was added up: before the commit, before it is read, and with each
   * operation that may be undone by itself.
   */
  writeSums(): void {
    const { addCounts, addStatistics, setLatest } = this.#statements;
    addCounts(this.#counts);
    addStatistics(this.#settled);
    for (const [topicSeq, seq] of this.#latest) setLatest.run(seq, topicSeq);
    this.#clearSums();
  }

  /** Writes all; answers whether anything is told. */
  write(): boolean {
    this.writeSums();
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
    const data = encodeChanges(encoded, this.#occurrences);
    this.#statements.insert.run(at, data);
    this.#deliveries.length = 0;
    this.#occurrences.length = 0;
    this.#at = undefined;
    return true;
  }

  #clearSums(): void {
    this.#counts = new CountChanges();
    this.#settled = new SettledCounts();
    this.#latest.clear();
  }

  #noteTime(at: EpochMs): void {
    if (this.#at === undefined || at > this.#at) this.#at = at;
  }
}

function prepareStatements(db: DatabaseSync) {
  return {
    insert: db.prepare("INSERT INTO changes (at, data) VALUES (?, ?)"),
    addCounts: createCounts(db),
    addStatistics: createStatistics(db),
    /** Parameters: message, topic. Index: the primary key. */
    setLatest: db.prepare("UPDATE topics SET latest_message = ? WHERE seq = ?"),
  };
}
