/**
 * Group commit: many operations, one transaction, one sync to disk; none where no
 * operation needs one. An operation that fails takes nobody down with it; a commit
 * that fails takes all.
 */

import type { DatabaseSync } from "node:sqlite";
import type { QueueOutcomes, StoreChange } from "@carillon/core";
import { type Failure, toFailure } from "../failure.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { isSynced } from "./durability.ts";

/** An operation by name, with its arguments. */
export type Command = readonly [name: string, args: readonly unknown[]];

/** What became of a run of commands that were committed together. */
export interface Answer {
  /** One per command, in order. */
  readonly results: readonly unknown[];
  /** By index, those that failed; `undefined`: none did. */
  readonly failures: ReadonlyMap<number, Failure> | undefined;
  /** Whether there is more in the change feed. */
  readonly changed: boolean;
  /** What caches have to know; `undefined`: nothing. */
  readonly notices: readonly StoreChange[] | undefined;
  /** Mailboxes in which there may be something to fetch; `undefined`: none. */
  readonly readyMailboxes: readonly number[] | undefined;
  /** What came of messages in mailboxes; `undefined`: nothing. */
  readonly queueOutcomes: QueueOutcomes | undefined;
}

export interface TransactionOptions {
  /** After this time a transaction takes no further operation. */
  readonly maxMs?: number;
  /** What the commands note in it is written with them. */
  readonly journal: ChangeJournal;
  /** What the commands note in it is answered with them. */
  readonly notices: ChangeNotices;
}

/** Answers a function that runs commands from an index on, as many as fit. */
export function createTransactions(
  db: DatabaseSync,
  execute: (command: Command) => unknown,
  { maxMs = 5, journal, notices }: TransactionOptions,
): (commands: readonly Command[], from: number) => Answer {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  /** As connections are opened. */
  let syncs = true;

  return (commands, from) => {
    const until = performance.now() + maxMs;
    const results: unknown[] = [];
    const toBeSynced = isSynced(commands[from]?.[0] ?? "");
    const other = commands.findIndex(
      ([name], n) => n > from && isSynced(name) !== toBeSynced,
    );
    const end = other === -1 ? commands.length : other;
    try {
      if (toBeSynced !== syncs) {
        db.exec(`PRAGMA synchronous = ${toBeSynced ? "FULL" : "NORMAL"}`);
        syncs = toBeSynced;
      }
      begin.run();
    } catch (error) {
      return allFailed(end - from, error);
    }
    for (let i = from; i < end; i++) {
      const command = commands[i];
      if (command === undefined) break;
      try {
        results.push(execute(command));
      } catch {
        // Savepoints are only paid for when something went wrong.
        rollback();
        return oneByOne(commands.slice(from, i + 1));
      }
      if (performance.now() > until) break;
    }
    let changed: boolean;
    try {
      changed = journal.write();
    } catch {
      // Of one of them, whose sums cannot be written.
      rollback();
      return oneByOne(commands.slice(from, from + results.length));
    }
    try {
      commit.run();
      return answer(results, undefined, changed);
    } catch (error) {
      rollback();
      return allFailed(results.length, error);
    }
  };

  function oneByOne(commands: readonly Command[]): Answer {
    const results: unknown[] = [];
    const failures = new Map<number, Failure>();
    try {
      begin.run();
      for (const [index, command] of commands.entries()) {
        db.exec("SAVEPOINT operation");
        const noted = journal.mark();
        const noticed = notices.mark();
        let result: unknown;
        try {
          result = execute(command);
          journal.writeSums();
        } catch (error) {
          // SQLite gives up the whole transaction by itself on some errors;
          // then there is nothing to go on with.
          if (!db.isTransaction) throw error;
          db.exec("ROLLBACK TO operation");
          journal.takeBack(noted);
          notices.takeBack(noticed);
          failures.set(index, toFailure(error));
        }
        db.exec("RELEASE operation");
        results.push(result);
      }
      const changed = journal.write();
      commit.run();
      return answer(results, failures, changed);
    } catch (error) {
      rollback();
      return allFailed(commands.length, error);
    }
  }

  function answer(
    results: Answer["results"],
    failures: Answer["failures"],
    changed: boolean,
  ): Answer {
    return {
      results,
      failures,
      changed,
      notices: notices.take(),
      readyMailboxes: journal.readyMailboxes.take(),
      queueOutcomes: journal.queueOutcomes.take(),
    };
  }

  function rollback(): void {
    journal.clear();
    notices.takeBack(0);
    if (db.isTransaction) db.exec("ROLLBACK");
  }
}

/** The answer to commands that all failed, for the same reason. */
function allFailed(count: number, error: unknown): Answer {
  const failure = toFailure(error);
  const indices = Array.from({ length: count }, (_, index) => index);
  return {
    results: indices.map(() => undefined),
    failures: new Map(indices.map((index) => [index, failure])),
    changed: false,
    notices: undefined,
    readyMailboxes: undefined,
    queueOutcomes: undefined,
  };
}
