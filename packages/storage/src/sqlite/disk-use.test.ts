import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readDiskUse } from "./disk-use.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const folderFor = temporaryFolders();

test("says how large the files of an open store are, and what room is left", async () => {
  const folder = folderFor();
  await using store = await openSqliteStore({ folder });
  await store.putSetting("a", "x".repeat(100_000), 0);
  const { databaseBytes, walBytes, freeBytes } = await readDiskUse(folder);
  assert.equal(databaseBytes, (await stat(join(folder, "carillon.db"))).size);
  assert.equal(walBytes, (await stat(join(folder, "carillon.db-wal"))).size);
  assert.ok(walBytes > 100_000);
  assert.ok(freeBytes > 0);
});

test("a folder that is not there is an error", async () => {
  const folder = join(folderFor(), "absent");
  await assert.rejects(readDiskUse(folder), { code: "ENOENT" });
});
