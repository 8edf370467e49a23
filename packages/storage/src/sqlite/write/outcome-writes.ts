/** Writes outcomes into the ledger. */

import type { DatabaseSync } from "node:sqlite";
import type {
  EpochMs,
  ExtraData,
  RefusedOutcome,
  UnqueuedDelivery,
} from "@carillon/core";
import { mergeSenderData, refusedOutcome } from "@carillon/core/rules";
import { isRowRefused, toFailure } from "../failure.ts";
import { checkFits } from "../schema/codec.ts";
import { stateCodes } from "../schema/codes.ts";
import {
  attempts,
  checkAttempt,
  type Effect,
  outcomeColumns,
} from "../schema/delivery-table.ts";
import { prepareQuery, type SQLInputValue } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createMailboxEntry } from "./mailbox-entry.ts";
import {
  type CancelledEnd,
  createCancelledEnds,
} from "./message-cancellation.ts";
import { CountChanges } from "./message-counts.ts";
import {
  type Column,
  type OutcomeColumns,
  toOutcomeColumns,
} from "./outcome-columns.ts";
import { createOverdueEnds, type OverdueEnds } from "./overdue-messages.ts";
import { createReceiptJoin } from "./receipt-join.ts";
import type { StateRules } from "./state-rules.ts";
import { SettledCounts } from "./statistics-writes.ts";

/** What an operation adds up, to be written once at its end. */
interface Totals {
  readonly countChanges: CountChanges;
  readonly settledCounts: SettledCounts;
  readonly endIfCancelled: CancelledEnd;
  readonly overdue: OverdueEnds;
  /** Mailboxes in which there is a place for one of the outcomes. */
  readonly places: Set<number>;
  readonly writtenAt: EpochMs;
  /** Grows. */
  readonly unqueued: UnqueuedDelivery[];
}

/** What became of outcomes that are not in the ledger as they were given. */
interface WriteReport {
  readonly refused: readonly RefusedOutcome[];
  readonly unqueued: readonly UnqueuedDelivery[];
}

/** Answers the state that the row is in now; `undefined`: it was left alone. */
type WriteRow = (
  columns: OutcomeColumns,
  row: number,
  totals: Totals,
) => number | undefined;

const { waiting, retrying, failed } = stateCodes;

const names = outcomeColumns.map(({ name }) => name);
const placeOf = (name: string) => names.indexOf(name);
const messageSeqAt = placeOf("message_seq");
const targetAt = placeOf("target");
const stateAt = placeOf("state");
const attemptsAt = placeOf("attempts");
const lastAt = placeOf("last_at");
const ownerAt = placeOf("owner");
const providerAt = placeOf("provider");
const senderDataAt = placeOf("sender_data");
const mailboxAt = placeOf("mailbox");
const orderingKeyAt = placeOf("ordering_key");
const fullNames = names.map((name) => `deliveries.${name}`);
const isText = outcomeColumns.map((column) => column.isText);
const absent = outcomeColumns.map((column) => column.absent);
const requiredAt = [...absent.keys()].filter((n) => absent[n] === undefined);
/** Columns that are cleared once nobody goes on with the delivery. */
const openAt = placesOf("setWhileOpen");
/** Columns that are cleared once nothing more can come of it. */
const unfinishedAt = placesOf("setUntilFinal");
const nextAttemptAt = placeOf("next_attempt_at");

export function createOutcomeWrites(
  db: DatabaseSync,
  rules: StateRules,
  journal: ChangeJournal,
) {
  const layouts = createLayouts(db);
  /** Parameters: message, target. Index: the primary key. */
  const find = prepareQuery<
    [state: number, fence: number, attempts: number, senderData: string | null]
  >(
    db,
    `SELECT state, fence, attempts, sender_data FROM deliveries
     WHERE message_seq = ? AND target = ?`,
  );
  // One statement each, so that an outcome is written wholly or not at all.
  const update = createUpdate(db, [
    "set",
    "setWhileOpen",
    "setUntilFinal",
    "setIfGiven",
    "mergeIfGiven",
  ]);
  const updateWithAttempt = createUpdate(db, [
    "set",
    "setWhileOpen",
    "setUntilFinal",
    "setIfGiven",
    "mergeIfGiven",
    "setWithAttempt",
  ]);
  /** Appends to the attempts before the last. Index: the primary key. */
  const insertAttempt = db.prepare(
    `INSERT INTO attempts (message_seq, target, n, ${attempts.names.join(", ")})
     VALUES (?1, ?2,
       (SELECT coalesce(max(n), 0) + 1 FROM attempts
        WHERE message_seq = ?1 AND target = ?2)
       ${attempts.names.map((_, n) => `, ?${n + 3}`).join("")})`,
  );
  /** Parameters: message, target, attempt, part, entry, id, state. */
  const insertPart = db.prepare(
    `INSERT INTO parts
       (message_seq, target, attempt, part, entry, external_id, state)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  /**
   * Whether an attempt before this one was accepted: the delivery had come to
   * rest; since a resend. Parameters: message, target, attempt. Index: the primary
   * key.
   */
  const earlierPart = prepareQuery<[1]>(
    db,
    `SELECT 1 FROM parts AS p
     WHERE message_seq = ? AND target = ? AND attempt < ? AND attempt >
       (SELECT resent_after FROM deliveries AS d
        WHERE d.message_seq = p.message_seq AND d.target = p.target) LIMIT 1`,
  );
  const joinReceipts = createReceiptJoin(db);
  const mailboxEntry = createMailboxEntry(db);
  const createCancelledEnd = createCancelledEnds(db);
  const createOverdue = createOverdueEnds(db, journal);

  /** The row that is being written, in the order of the columns. */
  const values = new Array<SQLInputValue>(names.length).fill(null);
  let batch: OutcomeColumns | undefined;
  let { present, insert } = layouts([]);

  function begin(columns: OutcomeColumns): void {
    batch = columns;
    ({ present, insert } = layouts(columns.columns));
    for (const n of names.keys()) values[n] = absent[n] ?? null;
  }

  /** Fills `values`, and answers the state that the outcome reports. */
  function load(columns: OutcomeColumns, row: number): number {
    if (columns !== batch) begin(columns);
    for (const n of present) {
      const value = columns.columns[n]?.[row] ?? absent[n] ?? null;
      checkFits(value, isText[n] === true, fullNames[n] ?? "");
      values[n] = value;
    }
    for (const n of requiredAt) {
      if (values[n] !== null) continue;
      throw new TypeError(`An outcome lacks its ${names[n]}.`);
    }
    // The codec of states gives numbers.
    return values[stateAt] as number;
  }

  /** Nobody goes on with what is settled. */
  function clearIfSettled(state: number, reported: number): boolean {
    if (!rules.settled[state]) return false;
    for (const n of openAt) values[n] = null;
    if (rules.final[state]) {
      for (const n of unfinishedAt) values[n] = absent[n] ?? null;
    } else if (state !== reported) values[nextAttemptAt] = null;
    return true;
  }

  /** Writes the parts of an outcome, and what was reported of them before. */
  function writeParts(
    flat: readonly SQLInputValue[],
    countChanges: CountChanges,
  ): void {
    // What was written: STRICT columns took values of these types only.
    const messageSeq = values[messageSeqAt] as number;
    const target = values[targetAt] as number;
    const attempt = values[attemptsAt] as number;
    const entry = values[providerAt] as string;
    const size = flat.length / 2;
    for (let part = 0; part < size; part++) {
      const externalId = flat[2 * part] ?? null;
      const state = flat[2 * part + 1] ?? null;
      const row = [messageSeq, target, attempt, part, entry, externalId, state];
      insertPart.run(...row);
    }
    for (let part = 0; part < size; part++) {
      const key = { messageSeq, target, attempt, part };
      joinReceipts(key, flat[2 * part] as string, entry, countChanges);
    }
  }

  function hasRested(): boolean {
    const attempts = values[attemptsAt] as number;
    // Only what costs money has a provider, and parts.
    if (attempts < 2 || values[providerAt] === null) return false;
    const messageSeq = values[messageSeqAt] ?? null;
    const target = values[targetAt] ?? null;
    return earlierPart.get(messageSeq, target, attempts) !== undefined;
  }

  function countSettled(state: number, { settledCounts }: Totals): void {
    if (hasRested()) return;
    settledCounts.add(
      values[messageSeqAt] as number,
      values[targetAt] as number,
      state,
      values[lastAt] as EpochMs | null,
    );
  }

  /**
   * Writes the loaded outcome over a delivery that is in state `known`, and of
   * which providers told `senderData` before.
   */
  function merge(
    known: number,
    senderData: string | null,
    reported: number,
    totals: Totals,
  ): number {
    const state = rules.afterOutcome[known]?.[reported] ?? known;
    values[stateAt] = state;
    const told = values[senderDataAt];
    if (senderData !== null && typeof told === "string") {
      values[senderDataAt] = mergeJson(senderData, told);
    }
    const isSettled = clearIfSettled(state, reported);
    if (values[lastAt] === null) update(values);
    else updateWithAttempt(values);
    totals.countChanges.move(
      values[messageSeqAt] as number,
      values[targetAt] as number,
      known,
      state,
    );
    if (isSettled && !rules.settled[known]) countSettled(state, totals);
    return state;
  }

  /** What was written, and is for a mailbox, comes into it if that takes it. */
  function enterMailbox(state: number, mailbox: number, totals: Totals) {
    const { countChanges, settledCounts, overdue, places } = totals;
    const { writtenAt, unqueued } = totals;
    const messageSeq = values[messageSeqAt] as number;
    const target = values[targetAt] as number;
    const orderingKey = values[orderingKeyAt] as string | null;
    const delivery = { messageSeq, target, mailbox, orderingKey };
    const reason = mailboxEntry.admit(
      delivery,
      writtenAt,
      countChanges,
      overdue,
      places,
    );
    if (reason === undefined) return state;
    unqueued.push({ messageSeq, target, reason });
    settledCounts.add(messageSeq, target, failed, writtenAt);
    return failed;
  }

  /** An outcome of a range. */
  const addRow: WriteRow = (columns, row, totals) => {
    const reported = load(columns, row);
    const isSettled = clearIfSettled(reported, reported);
    const mailbox = values[mailboxAt];
    if (insert(values)) {
      const state =
        typeof mailbox === "number"
          ? enterMailbox(reported, mailbox, totals)
          : reported;
      totals.countChanges.add(
        values[messageSeqAt] as number,
        values[targetAt] as number,
        state,
      );
      if (isSettled) countSettled(state, totals);
      return state;
    }
    // It is there already. If a run before this one got to its end, that is
    // what is kept. One that was claimed since has a fence that an attempt of
    // this range does not know: what comes of the claim decides. What is in a
    // mailbox is its subscriber's.
    const key = [values[messageSeqAt] ?? null, values[targetAt] ?? null];
    const [known = 0, fence, , senderData = null] = find.get(...key) ?? [];
    const isClaimed =
      fence !== 0 && (known === stateCodes.sending || values[ownerAt] !== null);
    if (rules.settled[known] || isClaimed || mailbox !== null) return undefined;
    return merge(known, senderData, reported, totals);
  };

  /** An outcome of a claimed delivery, if the claim still holds. */
  const recordRow: WriteRow = (columns, row, totals) => {
    const key = [messageSeqAt, targetAt].map((n) =>
      at(columns.columns[n] ?? null, row),
    );
    const [known = 0, fence, attempted = 0, senderData = null] =
      find.get(...key) ?? [];
    if (fence === undefined || fence !== at(columns.fence, row)) {
      return undefined;
    }
    const reported = load(columns, row);
    const previous = at(columns.previousAttempt, row);
    // Of an attempt that was found lost before its outcome came after all, those
    // before it are in the list already.
    const isListed = attempted >= (values[attemptsAt] as number);
    if (previous && !(isListed && known === stateCodes.unknown)) {
      checkAttempt(previous);
      insertAttempt.run(...key, ...previous);
    }
    return merge(known, senderData, reported, totals);
  };

  /** Of a message that was cancelled no delivery waits, or is tried again. */
  function endIfCancelled(
    written: number,
    hasParts: boolean,
    totals: Totals,
  ): void {
    const messageSeq = values[messageSeqAt] as number;
    const target = values[targetAt] as number;
    // What was reported of its parts before may have settled it.
    const [state] = (hasParts && find.get(messageSeq, target)) || [written];
    if (state !== waiting && state !== retrying) return;
    totals.endIfCancelled(messageSeq, target, state);
  }

  /** At once for all: one statement each takes half as long as its row. */
  function takePlaces({ columns }: OutcomeColumns): Set<number> {
    const mailboxes = columns[mailboxAt]?.filter(
      (it) => typeof it === "number",
    );
    return mailboxes?.length ? mailboxEntry.takePlaces(mailboxes) : new Set();
  }

  /**
   * Writes all rows. One that can never be written is replaced and reported,
   * so that it holds up no other; what may pass (the disk, a lock) fails them
   * all, to be written again.
   */
  function writeAll(columns: OutcomeColumns, writeRow: WriteRow): WriteReport {
    const refused: RefusedOutcome[] = [];
    const countChanges = new CountChanges();
    const settledCounts = new SettledCounts();
    const totals: Totals = {
      countChanges,
      settledCounts,
      endIfCancelled: createCancelledEnd(
        columns.writtenAt,
        countChanges,
        settledCounts,
      ),
      overdue: createOverdue(columns.writtenAt, {
        countChanges,
        settledCounts,
      }),
      places: takePlaces(columns),
      writtenAt: columns.writtenAt,
      unqueued: [],
    };
    for (let row = 0; row < columns.size; row++) {
      try {
        const parts = at(columns.parts, row);
        if (parts) checkParts(parts);
        const state = writeRow(columns, row, totals);
        if (parts && state !== undefined) {
          writeParts(parts, totals.countChanges);
        }
        if (state === waiting || state === retrying) {
          endIfCancelled(state, parts !== null, totals);
        }
      } catch (error) {
        if (!isRowRefused(error)) throw error;
        const { message: reason } = toFailure(error);
        refused.push(replace(columns, row, reason, writeRow, totals));
      }
    }
    mailboxEntry.leavePlaces(totals.places);
    journal.addCounts(countChanges, columns.writtenAt);
    journal.addSettled(settledCounts);
    return { refused, unqueued: totals.unqueued };
  }

  return {
    /** Outcomes of a range: deliveries that are new to the ledger. */
    addAll: (columns: OutcomeColumns) => writeAll(columns, addRow),
    /** Outcomes of claimed deliveries, as far as the claims still hold. */
    recordAll: (columns: OutcomeColumns) => writeAll(columns, recordRow),
  };
}

/** Which columns a batch has values in, and the statement for these. */
interface Layout {
  /** Places of the columns, in their order. */
  readonly present: readonly number[];
  /**
   * Adds a delivery with its outcome, and answers whether it did: one that is
   * there already stays as it is. Index: the primary key.
   */
  insert(values: readonly SQLInputValue[]): boolean;
}

/** Layouts of batches with different columns; more are not kept. */
const maxLayouts = 64;

/**
 * Answers the layout of a batch. Only columns in which it has values are bound: of
 * what a delivery costs here binding is much, and most columns are rarely used.
 * Called for every message: the key is a number, a bit for each column.
 */
function createLayouts(db: DatabaseSync) {
  const known = new Map<number, Layout>();

  function prepare(present: readonly number[]): Layout {
    // What must be there is bound, so that its absence is refused.
    const places = [...new Set([...requiredAt, ...present])];
    const statement = db.prepare(
      `INSERT INTO deliveries (${places.map((n) => names[n]).join(", ")})
       VALUES (${places.map(() => "?").join(", ")})
       ON CONFLICT DO NOTHING`,
    );
    const parameters = new Array<SQLInputValue>(places.length).fill(null);
    return {
      present,
      insert(values) {
        for (let n = 0; n < places.length; n++) {
          parameters[n] = values[places[n] ?? 0] ?? null;
        }
        return statement.run(...parameters).changes > 0;
      },
    };
  }

  return (columns: OutcomeColumns["columns"]): Layout => {
    let key = 0;
    let bit = 1;
    for (const column of columns) {
      if (column) key += bit;
      bit *= 2;
    }
    let layout = known.get(key);
    if (layout === undefined) {
      if (known.size >= maxLayouts) known.clear();
      const present = [...columns.keys()].filter((n) => columns[n]);
      layout = prepare(present);
      known.set(key, layout);
    }
    return layout;
  };
}

/** Writes over a delivery what columns of these effects hold. */
function createUpdate(db: DatabaseSync, effects: readonly Effect[]) {
  const places = effects.flatMap(placesOf);
  const assignments = places.map((n) => {
    const { name, effect } = outcomeColumns[n] ?? {};
    // What is to be merged has been, see `mergeJson`: json_patch takes `null` as
    // the word to leave a member out.
    const isKept = effect === "setIfGiven" || effect === "mergeIfGiven";
    return isKept ? `${name} = coalesce(?, ${name})` : `${name} = ?`;
  });
  const update = db.prepare(
    `UPDATE deliveries SET ${assignments.join(", ")}
     WHERE message_seq = ? AND target = ?`,
  );
  const parameters = new Array<SQLInputValue>(places.length + 2).fill(null);
  const from = [...places, messageSeqAt, targetAt];
  return (values: readonly SQLInputValue[]): void => {
    for (let n = 0; n < from.length; n++) {
      parameters[n] = values[from[n] ?? 0] ?? null;
    }
    update.run(...parameters);
  };
}

/** `told` is the codec's; what is damaged gives way to it. */
function mergeJson(known: string, told: string): string {
  let members: ExtraData;
  try {
    members = JSON.parse(known);
  } catch {
    // It would fail the outcomes of others with this one, each time anew.
    return told;
  }
  return JSON.stringify(mergeSenderData(members, JSON.parse(told)));
}

function placesOf(effect: Effect): number[] {
  return outcomeColumns.flatMap((it, n) => (it.effect === effect ? [n] : []));
}

/** Writes a failure in place of a row that cannot be kept. */
function replace(
  columns: OutcomeColumns,
  row: number,
  reason: string,
  writeRow: WriteRow,
  totals: Totals,
): RefusedOutcome {
  // What was refused may lack any of these, whatever its type says.
  const numberAt = (place: number) => columns.columns[place]?.[row] as number;
  const key = {
    messageSeq: numberAt(messageSeqAt),
    target: numberAt(targetAt),
  };
  const outcome = refusedOutcome(
    { ...key, attempts: numberAt(attemptsAt) },
    reason,
    columns.writtenAt,
  );
  const fence = at(columns.fence, row);
  const substitute = toOutcomeColumns(
    [fence === null ? outcome : { ...outcome, fence }],
    columns.writtenAt,
  );
  try {
    writeRow(substitute, 0, totals);
  } catch (error) {
    // Without a key there is no row to say it in.
    if (!isRowRefused(error)) throw error;
  }
  return { ...key, reason };
}

/** Before anything is written: an outcome is kept with its parts or not at all. */
function checkParts(flat: readonly SQLInputValue[]): void {
  for (let n = 0; n < flat.length; n += 2) {
    const [externalId, state] = [flat[n] ?? null, flat[n + 1] ?? null];
    if (typeof externalId !== "string" || typeof state !== "number") {
      throw new TypeError(`cannot store ${externalId} in column parts`);
    }
  }
}

function at<Value>(column: Column<Value>, row: number): Value | null {
  return column?.[row] ?? null;
}
