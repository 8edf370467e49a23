/**
 * Rows that belong to messages: what they are about, and their files. Read for a
 * range of messages at once, in pages, and of one message no more than are taken.
 */

import {
  quoteName,
  type SourceDatabase,
  type SourceRow,
  type SourceTable,
} from "./source-database.ts";
import { toInteger } from "./source-values.ts";

const rowsPerPage = 2000;

/** Bytes of a value; a longer one is read as NULL. */
const maxValueBytes = 4096;

/** Of one message so many are kept, and one more, which tells that there are. */
export const maxChildren = 1000;

/**
 * By the id of the message. @param parent the column that names it
 */
export async function readChildren(
  db: SourceDatabase,
  table: SourceTable,
  parent: string,
  columns: readonly string[],
  [first, last]: readonly [first: number, last: number],
): Promise<ReadonlyMap<number, readonly SourceRow[]>> {
  const owner = quoteName(parent);
  const values = columns
    .filter((column) => table.columns.has(column))
    .map((column) => {
      const name = quoteName(column);
      return `CASE WHEN ${db.sizeOf(column)} <= ${maxValueBytes} THEN ${name} END AS ${name}`;
    });
  const found = new Map<number, SourceRow[]>();
  let from = first;
  let id = -1;
  for (;;) {
    const rows = await db.query(
      `SELECT ${owner} AS owner, id, ${values.join(", ")}
       FROM ${quoteName(table.name)}
       WHERE ${owner} >= ? AND ${owner} <= ?
         AND (${owner} > ? OR id > ?)
       ORDER BY ${owner}, id LIMIT ${rowsPerPage}`,
      [from, last, from, id],
    );
    for (const row of rows) {
      const key = toInteger(row.owner ?? null);
      if (key === undefined) continue;
      const list = found.get(key);
      if (!list) found.set(key, [row]);
      else if (list.length <= maxChildren) list.push(row);
    }
    const end = rows.at(-1);
    if (!end || rows.length < rowsPerPage) return found;
    const next = toInteger(end.owner ?? null);
    const nextId = toInteger(end.id ?? null);
    if (next === undefined || nextId === undefined) return found;
    // Those beyond what is taken of one message are passed over.
    const isFull = (found.get(next)?.length ?? 0) > maxChildren;
    from = next;
    id = isFull ? Number.MAX_SAFE_INTEGER : nextId;
  }
}
