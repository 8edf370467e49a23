/**
 * The database of a Django project, as the import reads it: one interface over
 * SQLite and PostgreSQL. What it holds was written by others, perhaps with ill
 * intent: rows are measured before they are read, and views are not looked at,
 * for they run what their makers wrote.
 */

import { CommandFailure } from "../command-failure.ts";

/** A value as its driver gives it; PostgreSQL's are all texts. */
export type SourceValue = string | number | bigint | Uint8Array | null;

export type SourceRow = Readonly<Record<string, SourceValue>>;

export interface SourceDatabase extends AsyncDisposable {
  /** For sentences; without user and password. */
  readonly label: string;
  /** What the database itself is called, wherever it stands. */
  readonly name: string;
  /** `undefined`: there is nothing of that name. */
  kindOf(table: string): Promise<"table" | "other" | undefined>;
  columnsOf(table: string): Promise<ReadonlySet<string>>;
  /** `sql` has a `?` for each parameter. */
  query(
    sql: string,
    parameters?: readonly (string | number)[],
  ): Promise<readonly SourceRow[]>;
  /** An expression for the bytes of a column's text; NULL of NULL. */
  sizeOf(column: string): string;
}

/** A table that is there, with its columns. */
export interface SourceTable {
  readonly name: string;
  readonly columns: ReadonlySet<string>;
}

/** `schema.table` is taken for a table of that schema. */
export function quoteName(name: string): string {
  return name
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".");
}

/**
 * @returns `undefined` when there is no such table
 * @throws CommandFailure when it is no table, or lacks a column of `needed`
 */
export async function findTable(
  db: SourceDatabase,
  name: string,
  needed: readonly string[],
): Promise<SourceTable | undefined> {
  const kind = await db.kindOf(name);
  if (kind === undefined) return undefined;
  if (kind === "other") {
    throw new CommandFailure(
      `${db.label}: ${name} is no plain table but a view or the like; only tables as pymess's migrations make them are read.`,
    );
  }
  const columns = await db.columnsOf(name);
  const missing = needed.filter((column) => !columns.has(column));
  if (missing.length === 0) return { name, columns };
  throw new CommandFailure(
    `${db.label}: the table ${name} has no column ${missing.join(", ")}, which pymess's migrations make.`,
  );
}
