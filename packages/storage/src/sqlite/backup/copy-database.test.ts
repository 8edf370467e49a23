import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openSqliteStore } from "../sqlite-store.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";
import { copyDatabase } from "./copy-database.ts";
import { DatabaseFile, newestSchemaVersion } from "./database-file.ts";

const newFolder = temporaryFolders();

test("copies one state while another connection commits between the steps", async () => {
  const folder = newFolder();
  const path = join(folder, "busy.db");
  using writer = new DatabaseSync(path);
  writer.exec(
    "PRAGMA journal_mode = WAL; CREATE TABLE t (a TEXT) STRICT; BEGIN",
  );
  const insert = writer.prepare("INSERT INTO t VALUES (?)");
  for (let n = 0; n < 40_000; n++) insert.run("x".repeat(500));
  writer.exec("COMMIT");
  const copy = join(folder, "copy.db");
  let left = Number.POSITIVE_INFINITY;
  let steps = 0;
  await copyDatabase(path, copy, {
    onProgress: ({ done, total }) => {
      steps++;
      // It never begins anew.
      assert.ok(total - done < left);
      left = total - done;
      insert.run("later");
    },
  });
  assert.ok(steps > 3);
  using copied = new DatabaseFile(copy);
  assert.deepEqual(await copied.findDamage("full"), []);
  assert.deepEqual({ ...copied.countRows() }, { t: 40_000 });
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("copy")),
    ["copy.db"],
  );
});

test("an abort ends the copying between two steps", async () => {
  const folder = newFolder();
  const path = join(folder, "long.db");
  using writer = new DatabaseSync(path);
  writer.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (a BLOB) STRICT");
  writer.exec("INSERT INTO t VALUES (randomblob(20000000))");
  const stop = new AbortController();
  const reason = new Error("stop");
  await assert.rejects(
    copyDatabase(path, join(folder, "copy.db"), {
      signal: stop.signal,
      onProgress: () => stop.abort(reason),
    }),
    (error) => error === reason,
  );
});

test("reads schema, rows and damage of a store's database", async () => {
  const folder = newFolder();
  const store = await openSqliteStore({ folder });
  for (let n = 0; n < 2000; n++)
    await store.putSetting(`name ${n}`, "value", 0);
  await store.close();
  const path = join(folder, "carillon.db");
  {
    using database = new DatabaseFile(path);
    assert.equal(database.schemaVersion, newestSchemaVersion());
    assert.equal(database.countRows().settings, 2000);
    assert.equal(database.findSetting("name 7"), "value");
    assert.equal(database.findSealedAccessKey(), undefined);
    assert.deepEqual(await database.findDamage("quick"), []);
  }
  using db = new DatabaseSync(path);
  db.enableDefensive(false);
  const root = db
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'settings'")
    .get();
  db.exec("PRAGMA writable_schema = ON");
  db.prepare("UPDATE sqlite_schema SET rootpage = ? WHERE name = 'topics'").run(
    Number(root?.rootpage),
  );
  db.close();
  using damaged = new DatabaseFile(path);
  assert.notDeepEqual(await damaged.findDamage("quick"), []);
});

test("a restore that broke off while it moved files keeps stores out", async () => {
  const folder = newFolder();
  writeFileSync(join(folder, "restore.moving"), "");
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_UNUSABLE",
    message: /^A restore into .* was interrupted .*--force again/,
  });
  assert.deepEqual(readdirSync(folder), ["restore.moving"]);
  rmSync(join(folder, "restore.moving"));
  await (await openSqliteStore({ folder })).close();
});
