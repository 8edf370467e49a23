/**
 * A Django project's PostgreSQL database, read in one read-only transaction: all
 * of an import sees it as it was when it began, and nobody waits for it.
 */

import type { Client } from "pg";
import { CommandFailure } from "../command-failure.ts";
import { printable } from "../printable.ts";
import type { SourceDatabase, SourceRow } from "./source-database.ts";
import { quoteName } from "./source-database.ts";

/** How long to wait for the server, in milliseconds. */
const connectTimeoutMs = 15_000;

/** @throws CommandFailure when it cannot be reached, or read */
export async function openPostgresDatabase(
  dsn: string,
): Promise<SourceDatabase> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({
    connectionString: dsn,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: "carillon import",
    // As the server writes them: no value is made into another one here.
    types: { getTypeParser: () => (value: string) => value },
  });
  const label = labelOf(client);
  // A connection that breaks between two queries fails the next one.
  client.on("error", () => {});
  await explain(label, async () => {
    await client.connect();
    await client.query(
      "SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'",
    );
    await client.query(
      "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    );
  });
  const query = async (
    sql: string,
    parameters: readonly (string | number)[] = [],
  ): Promise<readonly SourceRow[]> => {
    let n = 0;
    const numbered = sql.replaceAll("?", () => `$${++n}`);
    const { rows } = await explain(label, () =>
      client.query<Record<string, string | null>>(numbered, [...parameters]),
    );
    return rows;
  };
  return {
    label,
    name: client.database ?? "",
    async kindOf(table) {
      const [row] = await query(
        "SELECT relkind FROM pg_class WHERE oid = to_regclass(?)",
        [quoteName(table)],
      );
      if (row === undefined) return undefined;
      // Ordinary and partitioned ones.
      return row.relkind === "r" || row.relkind === "p" ? "table" : "other";
    },
    async columnsOf(table) {
      const rows = await query(
        `SELECT attname FROM pg_attribute
         WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped`,
        [quoteName(table)],
      );
      return new Set(rows.map(({ attname }) => String(attname)));
    },
    query,
    sizeOf: (column) => `octet_length(${quoteName(column)}::text)`,
    async [Symbol.asyncDispose]() {
      await client.end().catch(() => {});
    },
  };
}

function labelOf({ host, port, database }: Client): string {
  return printable(`${database} on ${host}:${port}`);
}

/** The driver's errors name neither user's password nor the address it is in. */
async function explain<Result>(
  label: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const what = cause.message || code || "no reason is given";
    throw new CommandFailure(
      `${label} cannot be read: ${printable(what)}.`,
      1,
      {
        cause,
      },
    );
  }
}
