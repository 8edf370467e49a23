import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { type MessageId, type ProjectId, toEpochMs } from "@carillon/core";
import { ManualClock } from "@carillon/testing";
import { testStoreContract } from "@carillon/testing/store-contract";
import { openSqliteStore } from "./sqlite-store.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

testStoreContract("SqliteStore", ({ clock }) =>
  openSqliteStore({ folder: newFolder(), clock }),
);

test("keeps everything when it is closed and opened again", async () => {
  const folder = newFolder();
  const first = await openSqliteStore({ folder });
  await first.putSetting("certificate", "one", 0);
  await first.close();
  await using second = await openSqliteStore({ folder });
  assert.equal((await second.findSetting("certificate"))?.value, "one");
});

test("goes on counting when it is opened again, until the window ends", async () => {
  const folder = newFolder();
  const clock = new ManualClock();
  const rule = {
    kind: "wrong_code",
    windowMs: 1000,
    isSliding: false,
    maxCounters: 10,
  } as const;
  const first = await openSqliteStore({ folder, clock });
  await first.changeCounters(rule, { added: [{ key: "a", by: 3 }] });
  await first.close();
  clock.advance(400);
  await using second = await openSqliteStore({ folder, clock });
  assert.deepEqual(await second.readCounters("wrong_code", ["a"]), [
    { count: 3, sinceLastMs: 400, endsInMs: 600 },
  ]);
  clock.advance(600);
  assert.deepEqual(await second.readCounters("wrong_code", ["a"]), [undefined]);
});

test("writes what comes at once in few transactions", async () => {
  await using store = await openSqliteStore({ folder: newFolder() });
  await Promise.all(
    Array.from({ length: 300 }, (_, n) => store.putSetting(`s${n}`, "x", 0)),
  );
  const { operations, commits } = store.status;
  assert.equal(operations, 300);
  // One, but for a machine so slow that a few milliseconds do not suffice.
  assert.ok(commits < 30, `${commits} commits`);
});

test("opens in a program given on the command line", () => {
  const index = new URL("../index.ts", import.meta.url);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--conditions=source",
      "--input-type=module",
      "--eval",
      `import { openSqliteStore } from "${index}";
       await using store = await openSqliteStore({ folder: process.argv[1] });
       await store.putSetting("greeting", "hello", 0);
       console.log((await store.findSetting("greeting"))?.value);`,
      newFolder(),
    ],
    { encoding: "utf8" },
  );
  assert.deepEqual(
    { status, stdout, stderr },
    { status: 0, stdout: "hello\n", stderr: "" },
  );
});

test("refuses what comes after it was closed", async () => {
  const store = await openSqliteStore({ folder: newFolder() });
  await store.close();
  const closed = { code: "SHUTTING_DOWN" };
  await assert.rejects(store.putSetting("a", "b", 0), closed);
  await assert.rejects(store.findSetting("a"), closed);
  const id = "0".repeat(32);
  await assert.rejects(
    store.findMessage(id as ProjectId, id as MessageId),
    closed,
  );
});

test("lets one write fail without the others that share its commit", async () => {
  await using store = await openSqliteStore({ folder: newFolder() });
  const message = {
    id: "1".repeat(32) as MessageId,
    projectId: "2".repeat(32) as ProjectId,
    audience: "direct",
    content: { kind: "text", text: "Hello" },
    createdAt: toEpochMs(1),
    expiresAt: toEpochMs(2),
  } as const;
  const results = await Promise.allSettled([
    store.putSetting("before", "x", 0),
    store.acceptDirectMessage(message, []),
    // The same id once more: ids are unique.
    store.acceptDirectMessage(message, []),
    store.putSetting("after", "x", 0),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "fulfilled"],
  );
  const [, , failed] = results;
  assert.equal(
    failed.status === "rejected" && failed.reason.code,
    "STORAGE_REFUSED",
  );
  assert.equal((await store.findSetting("before"))?.value, "x");
  assert.equal((await store.findSetting("after"))?.value, "x");
});

test("refuses a write that cannot be handed to its thread, and no other", async () => {
  await using store = await openSqliteStore({ folder: newFolder() });
  const name = Symbol("not a string") as unknown as string;
  await Promise.all([
    store.putSetting("before", "x", 0),
    assert.rejects(store.putSetting(name, "x", 0), { code: "STORAGE_REFUSED" }),
    store.putSetting("beside", "x", 0),
  ]);
  assert.equal((await store.findSetting("beside"))?.value, "x");
  await assert.rejects(store.putSetting(name, "x", 0), {
    code: "STORAGE_REFUSED",
  });
  await store.putSetting("after", "x", 0);
  assert.equal((await store.findSetting("after"))?.value, "x");
});
