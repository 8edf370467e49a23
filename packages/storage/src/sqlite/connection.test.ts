import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openForReading, openForWriting } from "./connection.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

test("syncs each commit, and writes beside what is being read", () => {
  using db = openForWriting(join(newFolder(), "test.db"));
  const pragma = (name: string) =>
    Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  const full = 2;
  assert.equal(pragma("synchronous"), full);
  assert.equal(pragma("journal_mode"), "wal");
});

test("reads while a write is under way, and never writes", () => {
  const file = join(newFolder(), "test.db");
  using writer = openForWriting(file);
  writer.exec("CREATE TABLE kept (value TEXT) STRICT");
  using reader = openForReading(file);
  const count = reader.prepare("SELECT count(*) AS count FROM kept");
  writer.exec("BEGIN IMMEDIATE; INSERT INTO kept VALUES ('a')");
  assert.equal(count.get()?.count, 0);
  writer.exec("COMMIT");
  assert.equal(count.get()?.count, 1);
  assert.throws(() => reader.exec("DELETE FROM kept"), /readonly/);
});
