/**
 * Brings a database to the newest schema: numbered SQL files, each applied
 * once, in order, each in a transaction with the note that it was applied.
 */

import { readdirSync, readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { CarillonError, type Clock } from "@carillon/core";
import { prepareQuery } from "./query.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The migrations of this release, in order. */
export function readMigrations(folder = migrationsFolder()): Migration[] {
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
 * @throws CarillonError STORAGE_UNUSABLE when another version wrote it whose
 * schema does not lead to this one
 */
export async function* migrate(
  db: DatabaseSync,
  migrations: readonly Migration[],
  clock: Pick<Clock, "now" | "nextTurn">,
): AsyncGenerator<number, void> {
  const current = checkApplied(db, migrations);
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

/** The newest version that was applied; 0 of an empty database. */
function checkApplied(
  db: DatabaseSync,
  migrations: readonly Migration[],
): number {
  const hasNotes = prepareQuery<[1]>(
    db,
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'",
  ).get();
  if (!hasNotes) return 0;
  const applied = prepareQuery<[version: number, name: string]>(
    db,
    "SELECT version, name FROM migrations ORDER BY version",
  ).all();
  const newest = migrations.at(-1)?.version ?? 0;
  const current = applied.at(-1)?.[0] ?? 0;
  for (const [version, name] of applied) {
    const known = migrations.find((it) => it.version === version);
    if (known === undefined || known.name === name) continue;
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `The database ${db.location()} was written by a version from before the first release, which this version does not read: start with an empty data folder.`,
    );
  }
  if (current > newest) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `The database ${db.location()} was written by a newer version (its schema is ${current}, this version knows ${newest}): start that version, or restore a backup from before.`,
    );
  }
  return current;
}

/** In the package, whether this runs from src or from dist. */
function migrationsFolder(): URL {
  const manifest = findPackageJSON(import.meta.url);
  if (manifest === undefined) throw new Error("The package has no manifest");
  return new URL("migrations/sqlite/", pathToFileURL(manifest));
}
