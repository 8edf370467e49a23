/** A Django project's SQLite file, opened read-only. */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CommandFailure } from "../command-failure.ts";
import { printable } from "../printable.ts";
import type {
  SourceDatabase,
  SourceRow,
  SourceValue,
} from "./source-database.ts";
import { quoteName } from "./source-database.ts";

/** How long to wait for a program that writes, in milliseconds. */
const busyTimeoutMs = 10_000;

/** @throws CommandFailure when it cannot be read */
export function openSqliteDatabase(path: string): SourceDatabase {
  if (!existsSync(path)) {
    throw new CommandFailure(`There is no file ${printable(path)}.`, 2);
  }
  const db = explain(path, () => {
    const opened = new DatabaseSync(path, {
      readOnly: true,
      timeout: busyTimeoutMs,
    });
    // Functions that a schema calls may do what it must not.
    opened.exec("PRAGMA trusted_schema = OFF");
    // Reads the header, which opening does not.
    opened.prepare("SELECT count(*) FROM sqlite_schema").get();
    return opened;
  });
  // No transaction around all of it: it would keep the project from writing.
  const query = (
    sql: string,
    parameters: readonly (string | number)[] = [],
  ): readonly SourceRow[] =>
    explain(path, () => {
      const statement = db.prepare(sql);
      // Numbers that are no numbers here would end the whole query.
      statement.setReadBigInts(true);
      // SQLite has these types and no other.
      return statement.all(...parameters) as Record<string, SourceValue>[];
    });
  return {
    label: printable(basename(path)),
    name: basename(path),
    async kindOf(table) {
      const [row] = query(
        "SELECT type, sql FROM sqlite_schema WHERE name = ? AND type IN ('table', 'view')",
        [table],
      );
      if (row === undefined) return undefined;
      const isPlain =
        row.type === "table" && !/^\s*CREATE\s+VIRTUAL/i.test(String(row.sql));
      return isPlain ? "table" : "other";
    },
    async columnsOf(table) {
      const rows = query("SELECT name FROM pragma_table_info(?)", [table]);
      return new Set(rows.map(({ name }) => String(name)));
    },
    query: async (sql, parameters) => query(sql, parameters),
    sizeOf: (column) => `octet_length(${quoteName(column)})`,
    async [Symbol.asyncDispose]() {
      db.close();
    },
  };
}

/** @throws CommandFailure in place of what SQLite throws */
function explain<Result>(path: string, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new CommandFailure(
      `${printable(path)} cannot be read: ${printable(cause.message)}.`,
      1,
      { cause },
    );
  }
}
