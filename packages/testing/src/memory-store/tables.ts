/** The rows of the in-memory store, and transactions over them. */

import {
  CarillonError,
  type Change,
  type Clock,
  type EpochMs,
  isSettled,
  toEpochMs,
} from "@carillon/core";
import { type Columns, toRow } from "./columns.ts";
import {
  type NoticeOf,
  Notices,
  noticeOfAccess,
  noticeOfBinding,
  noticeOfCancellation,
  noticeOfFailingEndpoint,
  noticeOfMailbox,
  noticeOfSetting,
  noticeOfSubscription,
  noticeOfTopic,
} from "./notices.ts";
import { NotedOutcomes } from "./queue-outcomes.ts";
import { ReadyMailboxes } from "./ready-mailboxes.ts";
import type { ChangeRow } from "./rows.ts";
import * as rows from "./rows.ts";

/** All or nothing, as a database has it; one may run within another. */
class Transactions {
  isClosed = false;
  /** Called when the outermost one succeeds, as its last step. */
  beforeCommit = (): void => {};
  #undo: (() => void)[] = [];
  #depth = 0;

  run<Result>(work: () => Result): Result {
    const before = this.#undo.length;
    this.#depth++;
    try {
      const result = work();
      if (this.#depth === 1) this.beforeCommit();
      return result;
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
  readonly #onChange: (key: Key, row: Row, isNew: boolean) => void;

  /** @param onChange called with what is put or deleted */
  constructor(
    columns: Columns<Row>,
    transactions: Transactions,
    onChange: (key: Key, row: Row, isNew: boolean) => void = () => {},
  ) {
    this.#columns = columns;
    this.#transactions = transactions;
    this.#onChange = onChange;
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
    const isNew = !this.#open.has(key);
    this.#open.set(key, kept);
    this.#onChange(key, kept, isNew);
    return kept;
  }

  delete(key: Key): boolean {
    const row = this.#open.get(key);
    if (row === undefined) return false;
    this.#noteUndo(key);
    this.#onChange(key, row, false);
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

/** Deliveries, whose states are told, and what may be fetched of them. */
class DeliveryTable extends Table<rows.DeliveryRow> {
  readonly #journal: Journal;
  readonly #readyMailboxes: ReadyMailboxes;
  readonly #clock: Pick<Clock, "now">;

  constructor(
    transactions: Transactions,
    journal: Journal,
    readyMailboxes: ReadyMailboxes,
    clock: Pick<Clock, "now">,
  ) {
    super(rows.deliveryColumns, transactions);
    this.#journal = journal;
    this.#readyMailboxes = readyMailboxes;
    this.#clock = clock;
  }

  /** It is what it was before a claim: that is told no second time. */
  putBack(key: Key, row: rows.DeliveryRow): rows.DeliveryRow {
    return super.put(key, row);
  }

  /** What happened to it happened elsewhere: that is told to nobody. */
  putUntold(key: Key, row: rows.DeliveryRow): rows.DeliveryRow {
    return super.put(key, row);
  }

  override put(key: Key, row: rows.DeliveryRow): rows.DeliveryRow {
    const before = this.get(key);
    const kept = super.put(key, row);
    const { messageSeq, target, state } = kept;
    this.#noteReady(before, kept);
    if (state !== before?.state && isSettled(state)) {
      const runs = [target, target];
      const change = { kind: "deliveries", messageSeq, state, runs } as const;
      this.#journal.note(change, this.#clock.now());
    }
    return kept;
  }

  /** It may be fetched, or was in the way of others of its ordering key. */
  #noteReady(
    before: rows.DeliveryRow | undefined,
    { pull, state }: rows.DeliveryRow,
  ): void {
    const waits = state === "waiting" && pull?.until === undefined;
    const unblocks = before?.pull?.orderingKey !== undefined && !isOpen(state);
    const mailbox = unblocks ? before?.pull?.mailbox : pull?.mailbox;
    if (mailbox !== undefined && (waits || unblocks)) {
      this.#readyMailboxes.note(mailbox);
    }
  }
}

function isOpen(state: rows.DeliveryRow["state"]): boolean {
  return state === "waiting" || state === "sending";
}

function isOfSameDelivery(a: Change, b: Change): boolean {
  return (
    a.kind === "deliveries" &&
    b.kind === "deliveries" &&
    a.messageSeq === b.messageSeq &&
    a.runs[0] === b.runs[0]
  );
}

/** What a transaction changed that is worth telling. */
class Journal {
  readonly listeners = new Set<() => void>();
  readonly #transactions: Transactions;
  #changes: Change[] = [];
  #at = 0;

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
  }

  /** Of a delivery that goes two steps at once the last one counts. */
  note(change: Change, at: EpochMs): void {
    const before = this.#changes;
    this.#transactions.note(() => {
      this.#changes = before;
    });
    const last = before.at(-1);
    const isNext = last && isOfSameDelivery(last, change);
    this.#changes = [...(isNext ? before.slice(0, -1) : before), change];
    this.#at = Math.max(this.#at, at);
  }

  /** One row's worth, if there is anything. */
  take(): Omit<ChangeRow, "seq"> | undefined {
    if (this.#changes.length === 0) return undefined;
    const batch = { at: toEpochMs(this.#at), changes: this.#changes };
    this.#changes = [];
    this.#at = 0;
    return batch;
  }
}

/**
 * All tables. Rows that markers or the ledger name stay when they are deleted;
 * a table beside theirs says that they were.
 */
export function createTables(clock: Pick<Clock, "now">) {
  const transactions = new Transactions();
  const notices = new Notices((undo) => transactions.note(undo));
  /** @param noticeOf what caches have to know of a change of a row */
  function table<Row extends object>(
    columns: Columns<Row>,
    noticeOf?: NoticeOf<Row>,
  ) {
    return new Table(columns, transactions, (...row) => {
      const notice = noticeOf?.(...row);
      if (notice) notices.note(notice);
    });
  }
  const journal = new Journal(transactions);
  const readyMailboxes = new ReadyMailboxes((undo) => transactions.note(undo));
  const queueOutcomes = new NotedOutcomes((undo) => transactions.note(undo));
  const tables = {
    /** Runs all of it, or nothing when it throws. */
    attempt: <Result>(work: () => Result) => transactions.run(work),
    /** The same for an operation of the store, whose failure is an answer. */
    write: async <Result>(work: () => Result) => transactions.run(work),
    /** Nothing is read or written any more. */
    close: async () => {
      transactions.isClosed = true;
    },

    topics: table(rows.topicColumns, noticeOfTopic),
    deletedTopics: table(rows.lastAudienceColumns, noticeOfTopic),
    /** By number of the topic. */
    tags: table(rows.tagsColumns),
    bindings: table(rows.bindingColumns, noticeOfBinding),
    subscriptions: table(rows.subscriptionColumns, noticeOfSubscription),
    /** By number, of those that there are. */
    mailboxes: table(rows.mailboxColumns, noticeOfMailbox),
    /** By number: theirs are given to no other. */
    deletedMailboxes: table<object>({}),
    /** By mailbox and subscription. */
    withdrawals: table(rows.withdrawalColumns),
    publishers: table(rows.publisherColumns),
    deletedPublishers: table<object>({}),
    /** By publisher and reference. */
    categories: table(rows.categoryColumns),
    confirmations: table(rows.confirmationColumns),
    subscriptionUsers: table(rows.subscriptionUserColumns),
    deletedSubscriptionUsers: table<object>({}),
    templates: table(rows.templateColumns),
    deletedTemplates: table<object>({}),
    storedTemplates: table(rows.storedTemplateColumns),
    disallowedObjects: table(rows.disallowedColumns),

    messages: table(rows.messageColumns),
    recipients: table(rows.recipientColumns),
    /** By message. */
    attachments: table(rows.attachmentsColumns),
    relations: table(rows.relationsColumns),
    /** By message: it was imported. */
    /** By project and name. */
    imports: table(rows.importColumns),
    idempotencyKeys: table(rows.idempotencyKeyColumns),
    ranges: table(rows.rangeColumns),
    cancelledMessages: table(
      rows.cancelledMessageColumns,
      noticeOfCancellation,
    ),
    deliveries: new DeliveryTable(transactions, journal, readyMailboxes, clock),
    /** Receipts whose id no delivery has yet. */
    earlyReceipts: table(rows.receiptColumns),
    jobs: table(rows.jobColumns),
    /** Counts of deliveries that came to rest. */
    statistics: table(rows.statisticsColumns),

    inbound: table(rows.inboundColumns),
    optOuts: table(rows.optOutColumns),
    /** In the order in which they came. */
    mailEvents: table(rows.mailEventColumns),
    emailSuppressions: table(rows.emailSuppressionColumns),

    failingEndpoints: table(
      rows.failingEndpointColumns,
      noticeOfFailingEndpoint,
    ),

    domains: table(rows.domainColumns, noticeOfAccess("domain")),
    projects: table(rows.projectColumns, noticeOfAccess("project")),
    deletedProjects: table<object>({}),
    users: table(rows.userColumns, noticeOfAccess("user")),
    accessKeys: table(rows.accessKeyColumns, noticeOfAccess("access_key")),
    tokens: table(rows.identityTokenColumns, noticeOfAccess("token")),
    settings: table(rows.settingColumns, noticeOfSetting),
    /** One row, once there is an identity. */
    identityVersion: table(rows.identityVersionColumns),

    counters: table(rows.counterColumns),
    /** Oldest first. */
    detections: table(rows.detectionColumns),
    auditEntries: table(rows.auditColumns),

    changes: table(rows.changeColumns),
    /** By name. */
    changeConsumers: table(rows.changeConsumerColumns),
    journal,
    notices,
    readyMailboxes,
    queueOutcomes,
  };
  transactions.beforeCommit = () => {
    const batch = journal.take();
    if (batch) {
      const seq = (tables.changes.list().at(-1)?.seq ?? 0) + 1;
      tables.changes.put(seq, { seq, ...batch });
      for (const listener of journal.listeners) queueMicrotask(listener);
    }
    notices.tell();
    readyMailboxes.tell();
    queueOutcomes.tell();
  };
  return tables;
}

export type Tables = ReturnType<typeof createTables>;
