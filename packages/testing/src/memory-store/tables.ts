/** The rows of the in-memory store, and transactions over them. */

import { CarillonError } from "@carillon/core";
import { type Columns, toRow } from "./columns.ts";
import * as rows from "./rows.ts";

/** All or nothing, as a database has it; one may run within another. */
class Transactions {
  isClosed = false;
  #undo: (() => void)[] = [];
  #depth = 0;

  run<Result>(work: () => Result): Result {
    const before = this.#undo.length;
    this.#depth++;
    try {
      return work();
    } catch (error) {
      while (this.#undo.length > before) this.#undo.pop()?.();
      throw error;
    } finally {
      this.#depth--;
      if (this.#depth === 0) this.#undo = [];
    }
  }

  /** How to take back what is being changed. */
  note(undo: () => void): void {
    if (this.#depth > 0) this.#undo.push(undo);
  }
}

type Key = string | number;

/** Rows of one kind by key, in the order in which their keys were added. */
export class Table<Row extends object> {
  readonly #rows = new Map<Key, Row>();
  readonly #columns: Columns<Row>;
  readonly #transactions: Transactions;

  constructor(columns: Columns<Row>, transactions: Transactions) {
    this.#columns = columns;
    this.#transactions = transactions;
  }

  get size(): number {
    return this.#open.size;
  }

  get(key: Key): Row | undefined {
    return this.#open.get(key);
  }

  has(key: Key): boolean {
    return this.#open.has(key);
  }

  list(): Row[] {
    return [...this.#open.values()];
  }

  entries(): [Key, Row][] {
    return [...this.#open];
  }

  /**
   * Keeps a copy of the row, frozen, and answers it.
   *
   * @throws CarillonError STORAGE_REFUSED
   */
  put(key: Key, row: Row): Row {
    const kept = toRow(this.#columns, row);
    this.#noteUndo(key);
    this.#open.set(key, kept);
    return kept;
  }

  delete(key: Key): boolean {
    this.#noteUndo(key);
    return this.#open.delete(key);
  }

  /** Answers how many went. */
  deleteWhere(isMeant: (row: Row) => boolean): number {
    const meant = this.entries().filter(([, row]) => isMeant(row));
    for (const [key] of meant) this.delete(key);
    return meant.length;
  }

  get #open(): Map<Key, Row> {
    if (!this.#transactions.isClosed) return this.#rows;
    throw new CarillonError("SHUTTING_DOWN", "The store is closed.");
  }

  #noteUndo(key: Key): void {
    const before = this.#rows.get(key);
    this.#transactions.note(() => {
      if (before === undefined) this.#rows.delete(key);
      else this.#rows.set(key, before);
    });
  }
}

/**
 * All tables. Rows that markers or the ledger name stay when they are deleted;
 * a table beside theirs says that they were.
 */
export function createTables() {
  const transactions = new Transactions();
  function table<Row extends object>(columns: Columns<Row>) {
    return new Table(columns, transactions);
  }
  return {
    /** Runs all of it, or nothing when it throws. */
    attempt: <Result>(work: () => Result) => transactions.run(work),
    /** The same for an operation of the store, whose failure is an answer. */
    write: async <Result>(work: () => Result) => transactions.run(work),
    /** Nothing is read or written any more. */
    close: async () => {
      transactions.isClosed = true;
    },

    topics: table(rows.topicColumns),
    deletedTopics: table(rows.lastAudienceColumns),
    /** By number of the topic. */
    tags: table(rows.tagsColumns),
    bindings: table(rows.bindingColumns),
    subscriptions: table(rows.subscriptionColumns),
    subscriptionTokens: table(rows.subscriptionTokenColumns),
    confirmations: table(rows.confirmationColumns),
    subscriptionUsers: table(rows.subscriptionUserColumns),
    deletedSubscriptionUsers: table<object>({}),
    templates: table(rows.templateColumns),
    deletedTemplates: table<object>({}),

    messages: table(rows.messageColumns),
    recipients: table(rows.recipientColumns),
    ranges: table(rows.rangeColumns),
    deliveries: table(rows.deliveryColumns),
    /** Receipts whose id no delivery has yet. */
    earlyReceipts: table(rows.receiptColumns),
    jobs: table(rows.jobColumns),
    /** Counts of deliveries that came to rest. */
    statistics: table(rows.statisticsColumns),

    inbound: table(rows.inboundColumns),
    optOuts: table(rows.optOutColumns),

    domains: table(rows.domainColumns),
    projects: table(rows.projectColumns),
    deletedProjects: table<object>({}),
    users: table(rows.userColumns),
    accessKeys: table(rows.accessKeyColumns),
    tokens: table(rows.identityTokenColumns),
    settings: table(rows.settingColumns),

    auditEntries: table(rows.auditColumns),
  };
}

export type Tables = ReturnType<typeof createTables>;
