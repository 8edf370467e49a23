import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { unusableFolder } from "./data-folder.ts";
import { startProcess } from "./other-process.fixture.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

test("refuses a second process and names the first", async () => {
  const folder = newFolder();
  await using holder = startProcess("./hold-store.fixture.ts", [folder]);
  await holder.waitForLines(1);
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_IN_USE",
    message: new RegExp(
      `^The data folder ${folder} is in use by process ${holder.pid} \\(hold-store\\.fixture\\.ts, since .*Z\\): stop that process, or choose another folder\\.$`,
    ),
  });
});

test("takes over at once from a process that was killed", async () => {
  const folder = newFolder();
  await using holder = startProcess("./hold-store.fixture.ts", [folder]);
  await holder.waitForLines(1);
  await holder.kill();
  await using store = await openSqliteStore({ folder });
  assert.ok(store.exclusive);
});

test("refuses to open a folder twice in one process", async () => {
  const folder = newFolder();
  await using first = await openSqliteStore({ folder });
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_IN_USE",
    message: new RegExp(`process ${process.pid} `),
  });
  await first.putSetting("still", "works", 0);
});

test("leaves no name behind when it is closed", async () => {
  const folder = newFolder();
  const store = await openSqliteStore({ folder });
  assert.ok(existsSync(join(folder, "carillon.pid")));
  await store.close();
  assert.ok(!existsSync(join(folder, "carillon.pid")));
});

test("says why a folder cannot be used: a file is in its place", async () => {
  const folder = join(newFolder(), "data");
  writeFileSync(folder, "");
  await assert.rejects(openSqliteStore({ folder }), {
    code: "STORAGE_UNUSABLE",
    message: `The data folder ${folder} cannot be used: a part of the path is no folder. Make it a folder that this user may read and write, or choose another one.`,
  });
  await assert.rejects(openSqliteStore({ folder: join(folder, "below") }), {
    code: "STORAGE_UNUSABLE",
    message: /a part of the path is no folder/,
  });
});

test("says why a folder cannot be used: none can be made there", async () => {
  const link = join(newFolder(), "link");
  symlinkSync(join(link, "..", "nowhere"), link);
  for (const folder of ["/proc/nope/data", link]) {
    await assert.rejects(openSqliteStore({ folder }), {
      code: "STORAGE_UNUSABLE",
      message: `The data folder ${folder} cannot be used: it cannot be created there. Make it a folder that this user may read and write, or choose another one.`,
    });
  }
});

test("says why a folder cannot be used: the disk is full", () => {
  const causes = [
    Object.assign(new Error(""), { code: "ENOSPC" }),
    Object.assign(new Error("database or disk is full"), { errcode: 13 }),
  ];
  for (const cause of causes) {
    assert.equal(
      unusableFolder("/data", cause).message,
      "The data folder /data cannot be used: the disk is full. Make room on it, or choose another folder.",
    );
  }
});

test("says why a folder cannot be used: no right to it", async () => {
  const parent = newFolder();
  const locked = join(parent, "locked");
  mkdirSync(locked, { mode: 0o000 });
  for (const folder of [locked, join(locked, "below")]) {
    await using nobody = startProcess("./open-as-nobody.fixture.ts", [folder]);
    assert.equal(await nobody.ended(), 0);
    const [code, message] = nobody.lines;
    assert.equal(code, "STORAGE_UNUSABLE");
    assert.ok(
      message?.startsWith(`The data folder ${folder} cannot be used: `),
    );
  }
});

test("makes folders that are not there, for its user alone", async () => {
  const folder = join(newFolder(), "a", "b");
  await using store = await openSqliteStore({ folder });
  await store.putSetting("a", "b", 0);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});
