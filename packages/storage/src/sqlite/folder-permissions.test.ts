import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { LogFields } from "@carillon/core";
import { silentLogger } from "@carillon/core";
import { closeToOthers, findOpenToOthers } from "./folder-permissions.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const newFolder = temporaryFolders();
const modeOf = (path: string) => statSync(path).mode & 0o7777;

let umask: number;
beforeEach(() => {
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
});

const skip = process.platform === "win32" && "modes say nothing there";

test("a store is for its owner alone, whatever the umask", {
  skip,
}, async () => {
  const parent = newFolder();
  const existing = join(parent, "existing");
  mkdirSync(existing, { mode: 0o755 });
  for (const folder of [existing, join(parent, "new")]) {
    const store = await openSqliteStore({ folder });
    await store.putSetting("a", "b", 0);
    const names = readdirSync(folder);
    // With what SQLite makes by itself.
    assert.ok(names.includes("carillon.db-wal"), names.join());
    assert.equal(modeOf(folder), 0o700);
    for (const name of names) {
      assert.equal(modeOf(join(folder, name)), 0o600, name);
    }
    await store.close();
    assert.deepEqual(findOpenToOthers(folder), []);
  }
});

test("files that were open to others are closed to them", {
  skip,
}, async () => {
  const folder = newFolder();
  await (await openSqliteStore({ folder })).close();
  mkdirSync(join(folder, "logs"));
  const ours = [
    "carillon.db",
    "lock.db",
    "secret.key",
    "credentials.json",
    "logs/0-000001.jsonl",
  ].map((name) => join(folder, name));
  for (const path of ours) {
    writeFileSync(path, "", { flag: "a" });
    chmodSync(path, 0o644);
  }
  chmodSync(folder, 0o755);
  chmodSync(join(folder, "logs"), 0o755);
  assert.equal(findOpenToOthers(folder).length, ours.length + 2);
  assert.deepEqual(findOpenToOthers(folder)[0], {
    path: folder,
    mode: "0755",
  });
  await (await openSqliteStore({ folder })).close();
  for (const path of ours) assert.equal(modeOf(path), 0o600, path);
  assert.equal(modeOf(folder), 0o700);
  assert.equal(modeOf(join(folder, "logs")), 0o700);
});

test("a folder with other things in it is reported and stays as it is", {
  skip,
}, async () => {
  const folder = newFolder();
  chmodSync(folder, 0o755);
  const other = join(folder, "holiday.jpg");
  writeFileSync(other, "", { mode: 0o644 });
  const warnings: [string, LogFields | undefined][] = [];
  const logger = {
    ...silentLogger,
    warn: (event: string, fields?: LogFields) => warnings.push([event, fields]),
  };
  await (await openSqliteStore({ folder, logger })).close();
  assert.equal(modeOf(folder), 0o755);
  assert.equal(modeOf(other), 0o644);
  assert.equal(modeOf(join(folder, "carillon.db")), 0o600);
  assert.deepEqual(warnings, [
    ["storage_open_to_others", { path: folder, mode: "0755" }],
  ]);
});

test("a shared folder and links to elsewhere stay as they are", {
  skip,
}, () => {
  const shared = newFolder();
  chmodSync(shared, 0o1777);
  assert.equal(closeToOthers(shared).open.length, 1);
  assert.equal(modeOf(shared), 0o1777);

  const target = join(newFolder(), "elsewhere.key");
  writeFileSync(target, "", { mode: 0o644 });
  const folder = newFolder();
  symlinkSync(target, join(folder, "secret.key"));
  assert.deepEqual(closeToOthers(folder), { closed: [], open: [] });
  assert.equal(modeOf(target), 0o644);
});

test("what was narrowed is told, with the rights of before", async () => {
  const folder = newFolder();
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, "credentials.json"), "{}", { mode: 0o644 });
  const warnings: [string, LogFields | undefined][] = [];
  const logger = {
    ...silentLogger,
    warn: (event: string, fields?: LogFields) =>
      void warnings.push([event, fields]),
  };
  await (await openSqliteStore({ folder, logger })).close();
  assert.equal(modeOf(folder), 0o700);
  assert.deepEqual(warnings, [
    ["storage_closed_to_others", { path: folder, mode: "0777" }],
    [
      "storage_closed_to_others",
      { path: join(folder, "credentials.json"), mode: "0644" },
    ],
  ]);
  await (await openSqliteStore({ folder, logger })).close();
  assert.equal(warnings.length, 2);
});

test("a folder that is not there is open to nobody", () => {
  assert.deepEqual(findOpenToOthers(join(newFolder(), "none")), []);
});
