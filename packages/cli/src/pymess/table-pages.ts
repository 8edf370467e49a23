/**
 * Walks a table by its key, a page at a time. First come keys and sizes, then
 * those rows that are not too long, as many as memory is meant to hold: a text of
 * a gigabyte is never asked for.
 */

import { CommandFailure } from "../command-failure.ts";
import {
  quoteName,
  type SourceDatabase,
  type SourceRow,
  type SourceTable,
} from "./source-database.ts";
import { toInteger } from "./source-values.ts";

/** Bytes of one row: the longest content with all that stands beside it. */
export const maxRowBytes = 4 * 1024 * 1024;

/** Bytes of the rows that are read at once. */
const maxChunkBytes = 8 * 1024 * 1024;

const keysPerPage = 500;

/** A row by its key; without one it is too long. */
export interface WalkedRow {
  readonly id: number;
  readonly bytes: number;
  readonly row?: SourceRow;
}

/**
 * Rows behind `after`, in the order of their ids; in chunks of rows that were read
 * together.
 *
 * @param columns those that the table has of them are read
 * @throws CommandFailure for a table whose ids are no whole numbers
 */
export async function* walkRows(
  db: SourceDatabase,
  table: SourceTable,
  columns: readonly string[],
  after: number | undefined,
): AsyncGenerator<readonly WalkedRow[]> {
  const known = columns.filter((column) => table.columns.has(column));
  const size = known
    .map((column) => `coalesce(${db.sizeOf(column)}, 0)`)
    .join(" + ");
  const name = quoteName(table.name);
  let last = after;
  for (;;) {
    const behind = last === undefined ? "" : "WHERE id > ?";
    const keys = await db.query(
      `SELECT id, ${size} AS bytes FROM ${name} ${behind}
       ORDER BY id LIMIT ${keysPerPage}`,
      last === undefined ? [] : [last],
    );
    const page = keys.map((row) => toKey(db, table, row));
    for (const chunk of chunksOf(page)) yield await readChunk(chunk);
    last = page.at(-1)?.id;
    if (page.length < keysPerPage) return;
  }

  async function readChunk(
    chunk: readonly WalkedRow[],
  ): Promise<readonly WalkedRow[]> {
    const [first] = chunk;
    const end = chunk.at(-1);
    if (!first || !end || first.bytes > maxRowBytes) return chunk;
    const rows = await db.query(
      `SELECT id, ${known.map(quoteName).join(", ")} FROM ${name}
       WHERE id >= ? AND id <= ? ORDER BY id`,
      [first.id, end.id],
    );
    return rows.map((row) => ({ ...toKey(db, table, row), row }));
  }
}

/** Rows that are read at once; one that is too long is alone. */
function* chunksOf(
  page: readonly WalkedRow[],
): Generator<readonly WalkedRow[]> {
  let chunk: WalkedRow[] = [];
  let bytes = 0;
  for (const key of page) {
    const isTooLong = key.bytes > maxRowBytes;
    if (chunk.length > 0 && (isTooLong || bytes + key.bytes > maxChunkBytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    if (isTooLong) yield [key];
    else {
      chunk.push(key);
      bytes += key.bytes;
    }
  }
  if (chunk.length > 0) yield chunk;
}

function toKey(
  db: SourceDatabase,
  { name }: SourceTable,
  row: SourceRow,
): WalkedRow {
  const id = toInteger(row.id ?? null);
  if (id === undefined) {
    throw new CommandFailure(
      `${db.label}: a row of ${name} has an id that is no whole number; pymess's migrations make none.`,
    );
  }
  return { id, bytes: toInteger(row.bytes ?? null) ?? 0 };
}

/** How many rows there are behind `after`. */
export async function countRows(
  db: SourceDatabase,
  table: SourceTable,
  after: number | undefined,
): Promise<number> {
  const behind = after === undefined ? "" : "WHERE id > ?";
  const [row] = await db.query(
    `SELECT count(*) AS count FROM ${quoteName(table.name)} ${behind}`,
    after === undefined ? [] : [after],
  );
  return toInteger(row?.count ?? null) ?? 0;
}
