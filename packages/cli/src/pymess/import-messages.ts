/**
 * Imports the messages of one kind: from where the server says it stands, batch by
 * batch, to the end of the table.
 */

import type { Imports } from "@carillon/client";
import { ResourceNotFoundError, ResponseError } from "@carillon/client";
import { CommandFailure } from "../command-failure.ts";
import { readChildren } from "./child-rows.ts";
import { type Batch, BatchBuilder, problemWithSize } from "./import-batches.ts";
import type { MediaFolder } from "./media-folder.ts";
import {
  attachmentColumns,
  type MessageKind,
  neededColumns,
  relationColumns,
} from "./message-kinds.ts";
import { toRecord } from "./message-records.ts";
import type { PendingChoice } from "./pymess-states.ts";
import {
  findTable,
  quoteName,
  type SourceDatabase,
  type SourceTable,
} from "./source-database.ts";
import { RowProblem, toInteger } from "./source-values.ts";
import {
  countRows,
  maxRowBytes,
  type WalkedRow,
  walkRows,
} from "./table-pages.ts";

/** A row that was left out. */
export interface SkippedRow {
  readonly table: string;
  readonly id: string;
  readonly reason: string;
}

/** What an import is told to do, and whom it tells. */
export interface ImportTerms {
  readonly db: SourceDatabase;
  readonly imports: Imports;
  /** What the source is called in the names of imports. */
  readonly source: string;
  readonly media: MediaFolder | undefined;
  readonly pending: PendingChoice;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly onSkipped: (row: SkippedRow) => void;
  readonly onProgress: (kind: string, done: number, total: number) => void;
}

/** What came of a kind. */
export interface ImportSummary {
  readonly kind: string;
  readonly table: string;
  /** Rows that were looked at now. */
  readonly read: number;
  readonly imported: number;
  readonly skipped: number;
  /** Of earlier runs. */
  readonly before: number;
}

/** @throws CommandFailure */
export async function importMessages(
  kind: MessageKind,
  terms: ImportTerms,
): Promise<ImportSummary | undefined> {
  const { db, imports, isDryRun, signal } = terms;
  const table = await findTable(db, kind.table, neededColumns);
  if (!table) return undefined;
  const children = await findChildren(kind, db);
  await checkMedia(kind, table, children.attachments, terms);
  const name = `${terms.source}:${kind.table}`;
  const standing = isDryRun ? undefined : await findImport(imports, name);
  const start = standing && (await checkPosition(db, table, standing.position));
  const total = await countRows(db, table, start);
  const recordTerms = {
    kind,
    pending: terms.pending,
    states:
      kind.channel === "sms" && !table.columns.has("number_of_send_attempts")
        ? ("oldSms" as const)
        : kind.channel,
    contentTypes: await readContentTypes(db),
    media: terms.media,
  };
  let after = standing?.position;
  let [read, imported, skipped] = [0, 0, 0];

  const skip = (id: string, reason: string) => {
    skipped++;
    terms.onSkipped({ table: kind.table, id, reason });
  };

  const send = async (batch: Batch | undefined): Promise<void> => {
    if (!batch) return;
    signal.throwIfAborted();
    const request = { channel: kind.channel, ...batch };
    const result = await addBatch(imports, name, {
      ...request,
      ...(after !== undefined && { after }),
      ...(isDryRun && { dryRun: true }),
    });
    after = batch.position;
    imported += result.imported;
    for (const { id, reason } of result.skipped) skip(id, reason);
    terms.onProgress(kind.name, read, Math.max(read, total));
  };

  const builder = new BatchBuilder();
  terms.onProgress(kind.name, 0, total);
  for await (const chunk of walkRows(db, table, kind.columns, start)) {
    signal.throwIfAborted();
    const [first, last] = [chunk[0]?.id, chunk.at(-1)?.id];
    if (first === undefined || last === undefined) continue;
    const related = await children.read([first, last]);
    for (const walked of chunk) {
      read++;
      const position = positionOf(walked);
      const outcome = toOutcome(walked, related(walked.id));
      if ("record" in outcome) {
        await send(builder.add(position, outcome.record));
      } else {
        skip(String(walked.id), outcome.problem);
        await send(builder.skip(position));
      }
    }
  }
  await send(builder.take());
  return {
    kind: kind.name,
    table: kind.table,
    read,
    imported,
    skipped,
    before: standing?.imported ?? 0,
  };

  function toOutcome(
    { id, row, bytes }: WalkedRow,
    of: Parameters<typeof toRecord>[2],
  ) {
    if (!row) {
      return {
        problem: `it has ${bytes} bytes, ${maxRowBytes} is the most.`,
      };
    }
    try {
      const record = toRecord(id, row, of, recordTerms);
      const problem = problemWithSize(record);
      return problem === undefined ? { record } : { problem };
    } catch (error) {
      if (error instanceof RowProblem) return { problem: error.message };
      throw error;
    }
  }
}

async function findChildren(kind: MessageKind, db: SourceDatabase) {
  const { parent } = kind;
  const needed = ["id", parent];
  const relations = await findTable(db, kind.relations, [
    ...needed,
    "object_id",
    "content_type_id",
  ]);
  const attachments =
    kind.attachments === undefined
      ? undefined
      : await findTable(db, kind.attachments, [...needed, "file"]);
  return {
    attachments,
    /** Of messages in a range of ids; by the message. */
    async read(range: readonly [number, number]) {
      const objects =
        relations &&
        (await readChildren(db, relations, parent, relationColumns, range));
      const files =
        attachments &&
        (await readChildren(db, attachments, parent, attachmentColumns, range));
      return (id: number) => ({
        relations: objects?.get(id) ?? [],
        attachments: files?.get(id) ?? [],
      });
    },
  };
}

/**
 * Rows that are left out are not looked at again: so whoever forgot the folder is
 * told before any is.
 *
 * @throws CommandFailure
 */
async function checkMedia(
  { table: name }: MessageKind,
  { columns }: SourceTable,
  attachments: SourceTable | undefined,
  { db, media }: ImportTerms,
): Promise<void> {
  if (media) return;
  const hasFiles = async (sql: string) => (await db.query(sql)).length > 0;
  const needs =
    (columns.has("content_file") &&
      (await hasFiles(
        `SELECT 1 FROM ${quoteName(name)} WHERE content_file <> '' LIMIT 1`,
      ))) ||
    (attachments !== undefined &&
      (await hasFiles(`SELECT 1 FROM ${quoteName(attachments.name)} LIMIT 1`)));
  if (!needs) return;
  throw new CommandFailure(
    `${name}: contents of mails and attachments are in files; give Django's MEDIA_ROOT by --media.`,
    2,
  );
}

/** `app_label.model` of each id. */
export async function readContentTypes(
  db: SourceDatabase,
): Promise<ReadonlyMap<number, string>> {
  const table = await findTable(db, "django_content_type", [
    "id",
    "app_label",
    "model",
  ]);
  const names = new Map<number, string>();
  if (!table) return names;
  // A project has some hundreds.
  const rows = await db.query(
    `SELECT id, app_label, model FROM django_content_type
     WHERE ${db.sizeOf("app_label")} <= 100 AND ${db.sizeOf("model")} <= 100
     ORDER BY id LIMIT 100000`,
  );
  for (const { id = null, app_label, model } of rows) {
    const number = toInteger(id);
    if (number !== undefined) names.set(number, `${app_label}.${model}`);
  }
  return names;
}

async function findImport(imports: Imports, name: string) {
  try {
    return await imports.get(name);
  } catch (error) {
    if (error instanceof ResourceNotFoundError) return undefined;
    throw error;
  }
}

/** @throws CommandFailure when somebody else imports the same */
async function addBatch(
  imports: Imports,
  name: string,
  batch: Parameters<Imports["add"]>[1],
) {
  try {
    return await imports.add(name, batch);
  } catch (error) {
    if (error instanceof ResponseError && error.status === 409) {
      throw new CommandFailure(
        "Another import of the same table is under way, or has been meanwhile. Nothing was imported twice; run the command again to go on.",
        1,
        { cause: error },
      );
    }
    throw error;
  }
}

/**
 * A position has when its row was made, so that another database of the same name
 * is not taken for one that was imported.
 */
function positionOf({ id, row }: WalkedRow): string {
  const created = row?.created_at;
  const text = typeof created === "string" ? created.slice(0, 64) : "";
  return `${id}@${/^[\x20-\x7e]*$/.test(text) ? text : ""}`;
}

/** @throws CommandFailure when the row is another one by now */
async function checkPosition(
  db: SourceDatabase,
  table: SourceTable,
  position: string,
): Promise<number> {
  const [, digits = "", created = ""] = /^(-?\d+)@(.*)$/.exec(position) ?? [];
  const id = toInteger(digits);
  if (id === undefined) {
    throw new CommandFailure(
      `The import of ${table.name} stands at ${position}, which is no row of pymess: name this source by --source.`,
    );
  }
  const [row] = await db.query(
    `SELECT id, created_at FROM ${quoteName(table.name)}
     WHERE id = ? AND ${db.sizeOf("created_at")} <= 64`,
    [id],
  );
  // It may have been deleted since.
  if (!row || created === "") return id;
  if (positionOf({ id, bytes: 0, row }) === position) return id;
  throw new CommandFailure(
    `${db.label} is not the database that was imported before: there the row ${id} of ${table.name} was made at ${created}. Name this source by --source, so that it is imported beside the other.`,
  );
}
