import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type MessageId, type ProjectId, toEpochMs } from "@carillon/core";
import { startProcess } from "./other-process.fixture.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const newFolder = temporaryFolders();
const projectId = "0".repeat(32) as ProjectId;
const acceptMessages = "./accept-messages.fixture.ts";

test("loses nothing that was promised when it is killed while writing", async () => {
  const folder = newFolder();
  const promised: MessageId[] = [];
  for (const lines of [1, 400, 2000]) {
    await using writing = startProcess(acceptMessages, [folder]);
    await writing.waitForLines(lines);
    await writing.kill();
    promised.push(...idsOf(writing.lines, "accepted"));
  }
  await using store = await openSqliteStore({ folder });
  for (const id of promised) {
    const report = await store.findMessage(projectId, id);
    assert.deepEqual(report?.counts, { waiting: 1 }, `message ${id}`);
  }
  assert.ok(promised.length >= 2401);
  assert.equal(countUnfinished(folder), 0);
  assert.equal(checkIntegrity(folder), "ok");
});

const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0;

test("changes nothing while the disk is full, and goes on when it has room", {
  skip: hasPrlimit ? false : "prlimit, to make a disk full, is not here",
}, async () => {
  const folder = newFolder();
  await using writing = startProcess(
    acceptMessages,
    [folder],
    ["prlimit", "--fsize=1500000:unlimited"],
  );
  while (!writing.lines.includes("stopped")) {
    await writing.waitForLines(writing.lines.length + 1);
  }
  const refused = idsOf(writing.lines, "STORAGE_UNAVAILABLE");
  const before = idsOf(writing.lines, "accepted");
  assert.ok(refused.length > 0 && before.length > 0);

  spawnSync("prlimit", ["--fsize=unlimited", "--pid", `${writing.pid}`]);
  writing.send("go on");
  assert.equal(await writing.ended(), 0);
  const accepted = idsOf(writing.lines, "accepted");
  assert.ok(accepted.length >= before.length + 100);

  await using store = await openSqliteStore({ folder });
  for (const id of accepted) {
    assert.ok(await store.findMessage(projectId, id), `message ${id}`);
  }
  for (const id of refused) {
    assert.equal(await store.findMessage(projectId, id), undefined);
  }
  const { messages: kept } = await store.listMessages(
    projectId,
    {},
    { limit: 1_000_000 },
  );
  assert.equal(kept.length, accepted.length);
  assert.equal(countUnfinished(folder), 0);
  assert.equal(checkIntegrity(folder), "ok");
});

test("goes on cancelling what a deleted mailbox held when it was killed meanwhile", async () => {
  const folder = newFolder();
  await using deleting = startProcess("./withdraw-messages.fixture.ts", [
    folder,
  ]);
  await deleting.waitForLines(11);
  await deleting.kill();
  await using store = await openSqliteStore({ folder });
  const countWaiting = async () => {
    let waiting = 0;
    for (const id of deleting.lines.slice(0, 10)) {
      const report = await store.findMessage(projectId, id as MessageId);
      const [state] = Object.keys(report?.counts ?? {});
      if (state === "waiting") waiting++;
      else assert.equal(state, "cancelled");
    }
    return waiting;
  };
  const left = [await countWaiting()];
  while (await store.cancelWithdrawn(toEpochMs(1), 3)) {
    left.push(await countWaiting());
  }
  assert.deepEqual(left, [7, 4, 1]);
  assert.equal(await countWaiting(), 0);
});

/** Ids of the messages of which the process said this. */
function idsOf(lines: readonly string[], what: string): MessageId[] {
  return lines
    .map((line) => line.split(" "))
    .filter(([said]) => said === what)
    .map(([, id]) => id as MessageId);
}

/** Messages whose delivery, recipient or count is not there. */
function countUnfinished(folder: string) {
  using db = openFile(folder);
  const row = db
    .prepare(
      `SELECT count(*) AS count FROM messages AS m
       WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE message_seq = m.seq)
          OR NOT EXISTS (SELECT 1 FROM recipients WHERE message_seq = m.seq)
          OR NOT EXISTS (SELECT 1 FROM message_counts
                         WHERE message_seq = m.seq AND waiting = 1)`,
    )
    .get();
  return row?.count;
}

function checkIntegrity(folder: string) {
  using db = openFile(folder);
  return db.prepare("PRAGMA integrity_check").get()?.integrity_check;
}

function openFile(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, "carillon.db"), { readOnly: true });
}
