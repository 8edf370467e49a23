/**
 * Brings a database to the newest schema: numbered SQL files, each applied
 * once, in order, each in a transaction with the note that it was applied.
 */

import { readdirSync, readFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { CarillonError, type Clock } from "@carillon/core";
import { prepareQuery } from "./query.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The migrations of this release, in order. */
export function readMigrations(
  // As deep below src as below dist.
  folder = new URL("../../../migrations/sqlite/", import.meta.url),
): Migration[] {
  return readdirSync(folder)
    .map((file) => /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file))
    .filter((match) => match !== null)
    .map(([file, version, name = ""]) => ({
      version: Number(version),
      name,
      sql: readFileSync(new URL(file, folder), "utf8"),
    }))
    .sort((a, b) => a.version - b.version);
}

/**
 * Applies what is missing and yields each version once it is applied. The event
 * loop turns after each, so that a signal can come in between. A crash, or an
 * end of the iteration, leaves a migration applied and noted, or neither.
 *
 * @throws CarillonError STORAGE_UNUSABLE when a newer release wrote it
 */
export async function* migrate(
  db: DatabaseSync,
  migrations: readonly Migration[],
  clock: Pick<Clock, "now" | "nextTurn">,
): AsyncGenerator<number, void> {
  const current = currentVersion(db);
  const newest = migrations.at(-1)?.version ?? 0;
  if (current > newest) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `The database ${db.location()} was written by a newer version (its schema is ${current}, this version knows ${newest}): start that version, or restore a backup from before.`,
    );
  }
  const missing = migrations.filter(({ version }) => version > current);
  for (const { version, name, sql } of missing) {
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec(sql);
      db.prepare(
        "INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, ?)",
      ).run(version, name, clock.now());
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
    await clock.nextTurn();
    yield version;
  }
}

function currentVersion(db: DatabaseSync): number {
  const known = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'",
  ).get();
  if (!known) return 0;
  const newest = prepareQuery<[version: number | null]>(
    db,
    "SELECT max(version) FROM migrations",
  ).get();
  return newest?.[0] ?? 0;
}
