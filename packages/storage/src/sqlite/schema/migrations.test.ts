import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { silentLogger, systemClock, toEpochMs } from "@carillon/core";
import { openSqliteStore } from "../sqlite-store.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";
import { type Migration, migrate, readMigrations } from "./migrations.ts";

const newFolder = temporaryFolders();

test("numbers migrations from 1 without a gap", () => {
  const versions = readMigrations().map(({ version }) => version);
  assert.deepEqual(
    versions,
    versions.map((_, index) => index + 1),
  );
});

test("applies each migration once, in order", async () => {
  using db = new DatabaseSync(":memory:");
  const [first] = readMigrations();
  assert.ok(first);
  const second = migrationOf(2, "CREATE TABLE two (a INTEGER) STRICT");
  assert.deepEqual(await applied(db, [first], 1), [1]);
  assert.deepEqual(await applied(db, [first, second], 2), [2]);
  assert.deepEqual(await applied(db, [first, second], 3), []);
  assert.deepEqual(
    db
      .prepare("SELECT version, applied_at AS at FROM migrations")
      .all()
      .map((row) => ({ ...row })),
    [
      { version: 1, at: 1 },
      { version: 2, at: 2 },
    ],
  );
});

test("leaves nothing of a migration that fails", async () => {
  using db = new DatabaseSync(":memory:");
  const [first] = readMigrations();
  assert.ok(first);
  const broken = migrationOf(2, "CREATE TABLE two (a); CREATE TABLE two (b);");
  await assert.rejects(applied(db, [first, broken], 1), /already exists/);
  const mended = migrationOf(2, "CREATE TABLE two (b)");
  assert.deepEqual(await applied(db, [first, mended], 1), [2]);
});

test("lets a signal come in after each migration", async () => {
  using db = new DatabaseSync(":memory:");
  let hasTurned = false;
  setImmediate(() => {
    hasTurned = true;
  });
  for await (const version of migrate(db, readMigrations(), systemClock)) {
    assert.ok(hasTurned, `not after ${version}`);
  }
  assert.ok(hasTurned);
});

test("an abort ends an opening after a migration, which stays", async () => {
  const folder = newFolder();
  const stop = new AbortController();
  const reason = new Error("stop");
  const logger = {
    ...silentLogger,
    debug: (event: string) => {
      if (event === "storage_migrated") stop.abort(reason);
    },
  };
  const { signal } = stop;
  const opening = openSqliteStore({ folder, logger, signal });
  await assert.rejects(opening, (error) => error === reason);
  {
    using db = new DatabaseSync(join(folder, "carillon.db"));
    const [known] = db
      .prepare("SELECT max(version) AS it FROM migrations")
      .all();
    assert.equal(known?.it, 1);
  }
  // Nothing of it is left: neither the lock nor the thread.
  await (await openSqliteStore({ folder })).close();
  await assert.rejects(
    openSqliteStore({ folder, signal }),
    (error) => error === reason,
  );
});

test("refuses a database that a newer version wrote", async () => {
  const folder = newFolder();
  const file = join(folder, "carillon.db");
  await (await openSqliteStore({ folder })).close();
  {
    using db = new DatabaseSync(file);
    db.exec("INSERT INTO migrations VALUES (9999, 'from the future', 0)");
  }
  const newest = readMigrations().length;
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_UNUSABLE",
    message: `The database ${file} was written by a newer version (its schema is 9999, this version knows ${newest}): start that version, or restore a backup from before.`,
  });
});

test("refuses a database from before the first release", async () => {
  const folder = newFolder();
  const file = join(folder, "carillon.db");
  {
    using db = new DatabaseSync(file);
    db.exec(`
      CREATE TABLE migrations (version INTEGER, name TEXT, applied_at INTEGER);
      INSERT INTO migrations VALUES (1, 'initial', 0), (2, 'list-markers', 0);
    `);
  }
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_UNUSABLE",
    message: `The database ${file} was written by a version from before the first release, which this version does not read: start with an empty data folder.`,
  });
});

test("refuses a file that is no database, and asks for a backup", async () => {
  const folder = newFolder();
  writeFileSync(
    join(folder, "carillon.db"),
    "This is no database. ".repeat(99),
  );
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_UNUSABLE",
    message: new RegExp(
      `^The database ${folder}/carillon\\.db is damaged \\(file is not a database\\): restore a backup with carillon restore FILE --data ${folder} --force`,
    ),
  });
});

function migrationOf(version: number, sql: string): Migration {
  return { version, name: "test", sql };
}

/** The versions that were applied, by a clock that stands at `now`. */
function applied(
  db: DatabaseSync,
  migrations: readonly Migration[],
  now: number,
): Promise<number[]> {
  const clock = { ...systemClock, now: () => toEpochMs(now) };
  return Array.fromAsync(migrate(db, migrations, clock));
}
