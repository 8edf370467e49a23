import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { toEpochMs } from "@carillon/core";
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

test("applies each migration once, in order", () => {
  using db = new DatabaseSync(":memory:");
  const [first] = readMigrations();
  assert.ok(first);
  const second = migrationOf(2, "CREATE TABLE two (a INTEGER) STRICT");
  assert.deepEqual(migrate(db, [first], toEpochMs(1)), [1]);
  assert.deepEqual(migrate(db, [first, second], toEpochMs(2)), [2]);
  assert.deepEqual(migrate(db, [first, second], toEpochMs(3)), []);
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

test("leaves nothing of a migration that fails", () => {
  using db = new DatabaseSync(":memory:");
  const [first] = readMigrations();
  assert.ok(first);
  const broken = migrationOf(2, "CREATE TABLE two (a); CREATE TABLE two (b);");
  assert.throws(
    () => migrate(db, [first, broken], toEpochMs(1)),
    /already exists/,
  );
  const mended = migrationOf(2, "CREATE TABLE two (b)");
  assert.deepEqual(migrate(db, [first, mended], toEpochMs(1)), [2]);
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

test("refuses a file that is no database", async () => {
  const folder = newFolder();
  writeFileSync(
    join(folder, "carillon.db"),
    "This is no database. ".repeat(99),
  );
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_UNUSABLE",
    message: /^The data folder .* cannot be used: file is not a database\./,
  });
});

function migrationOf(version: number, sql: string): Migration {
  return { version, name: "test", sql };
}
