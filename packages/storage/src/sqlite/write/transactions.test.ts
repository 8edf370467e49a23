import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { systemClock, toEpochMs } from "@carillon/core";
import { openForWriting } from "../connection.ts";
import { stateCodes } from "../schema/codes.ts";
import { migrate, readMigrations } from "../schema/migrations.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";
import { ChangeJournal } from "./change-journal.ts";
import { ChangeNotices } from "./change-notices.ts";
import { CountChanges } from "./message-counts.ts";
import { type Command, createTransactions } from "./transactions.ts";

const newFolder = temporaryFolders();

test("commits commands together", async () => {
  const { run, rows } = await setUp();
  const answer = run([put("a"), put("b"), put("c")], 0);
  assert.deepEqual(answer, {
    results: [1, 2, 3],
    failures: undefined,
    changed: false,
    notices: undefined,
    readyMailboxes: undefined,
    queueOutcomes: undefined,
  });
  assert.deepEqual(rows(), ["a", "b", "c"]);
});

test("starts at the given command", async () => {
  const { run, rows } = await setUp();
  const answer = run([put("a"), put("b"), put("c")], 1);
  assert.equal(answer.results.length, 2);
  assert.deepEqual(rows(), ["b", "c"]);
});

test("takes no further command when its time is up", async () => {
  const { run, rows } = await setUp({ maxMs: -1 });
  const answer = run([put("a"), put("b")], 0);
  assert.deepEqual(answer.results, [1]);
  assert.deepEqual(rows(), ["a"]);
});

test("undoes a command that fails half-way, and only that", async () => {
  const { run, rows } = await setUp();
  const commands = [put("a"), command("putTwiceThenFail"), put("b")];
  const first = run(commands, 0);
  // It stops at the one that failed; the rest is for the next transaction.
  assert.deepEqual(first.results, [1, undefined]);
  assert.deepEqual([...(first.failures ?? [])], [[1, { message: "half-way" }]]);
  const second = run(commands, 2);
  assert.equal(second.failures, undefined);
  assert.deepEqual(rows(), ["a", "b"]);
});

test("fails all commands when the commit fails, and then works again", async () => {
  const { run, rows, db } = await setUp();
  db.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE child (parent INTEGER REFERENCES kept (seq)
      DEFERRABLE INITIALLY DEFERRED);
  `);
  const answer = run([put("a"), command("putOrphan"), put("b")], 0);
  assert.equal(answer.results.length, 3);
  assert.deepEqual([...(answer.failures?.keys() ?? [])], [0, 1, 2]);
  for (const { message } of answer.failures?.values() ?? []) {
    assert.match(message, /FOREIGN KEY/);
  }
  assert.deepEqual(rows(), []);
  assert.equal(run([put("c")], 0).failures, undefined);
  assert.deepEqual(rows(), ["c"]);
});

test("changes nothing when the database is full, and then works again", async () => {
  const { run, rows, db } = await setUp();
  db.exec("PRAGMA max_page_count = 10");
  const large = put("x".repeat(100_000));
  const answer = run([put("a"), large], 0);
  assert.ok(answer.failures?.has(1));
  const kept = rows();
  assert.ok(!kept.some((value) => String(value).startsWith("x")));
  db.exec("PRAGMA max_page_count = 1000");
  assert.equal(run([large], 0).failures, undefined);
  assert.equal(rows().length, kept.length + 1);
});

test("tells what the commands noted, and nothing of what was undone", async () => {
  const { run, notices, db } = await setUp();
  const noted = command("note");
  const told = { kind: "setting", name: "a" };
  assert.deepEqual(run([noted, noted], 0).notices, [told]);
  assert.equal(run([put("a")], 0).notices, undefined);
  assert.equal(run([command("noteThenFail")], 0).notices, undefined);
  assert.deepEqual(run([noted, command("noteThenFail")], 0).notices, [told]);
  db.exec("PRAGMA max_page_count = 10");
  const large = put("x".repeat(100_000));
  assert.equal(run([noted, large], 0).notices, undefined);
  // Nothing is left over for the next one.
  assert.equal(notices.take(), undefined);
});

test("tells of many changes in one transaction as of all", async () => {
  const { run } = await setUp();
  const many = Array.from({ length: 65 }, (_, n): Command => ["note", [n]]);
  assert.equal(run(many.slice(1), 0).notices?.length, 64);
  assert.deepEqual(run(many, 0).notices, [{ kind: "all" }]);
});

test("adds up what its commands count, without those that failed", async () => {
  const { run, counts } = await setUp();
  const count = (messageSeq: number): Command => ["count", [messageSeq]];
  run([count(1), count(2), count(1)], 0);
  assert.deepEqual(counts(), [
    [1, 2],
    [2, 1],
  ]);
  const { failures } = run([count(1), ["countThenFail", [1]]], 0);
  assert.deepEqual([...(failures?.keys() ?? [])], [1]);
  assert.deepEqual(counts(), [
    [1, 3],
    [2, 1],
  ]);
});

test("fails only the command whose sums cannot be written", async () => {
  const { run, counts, db } = await setUp();
  const count = (messageSeq: number): Command => ["count", [messageSeq]];
  run([count(7)], 0);
  // One more does not fit into an integer.
  db.exec("UPDATE message_counts SET waiting = 9223372036854775807");
  const { failures } = run([count(1), count(7), count(2)], 0);
  assert.deepEqual([...(failures?.keys() ?? [])], [1]);
  db.exec("DELETE FROM message_counts WHERE message_seq = 7");
  assert.deepEqual(counts(), [
    [1, 1],
    [2, 1],
  ]);
});

test("syncs what has to be, and no lease", async () => {
  const { run } = await setUp();
  const [sync, lease] = [command("sync"), command("leaseMessages")];
  const [normal, full] = [1, 2];
  const commands = [sync, lease, lease, sync];
  assert.deepEqual(run(commands, 0).results, [full]);
  assert.deepEqual(run(commands, 1).results, [normal, normal]);
  assert.deepEqual(run(commands, 3).results, [full]);
});

test("fails all commands when no transaction can begin", async () => {
  const { run, rows, db } = await setUp();
  using other = new DatabaseSync(db.location() ?? "");
  db.exec("PRAGMA busy_timeout = 0");
  other.exec("BEGIN IMMEDIATE");
  const answer = run([put("a"), put("b")], 0);
  assert.deepEqual([...(answer.failures?.keys() ?? [])], [0, 1]);
  other.exec("ROLLBACK");
  assert.equal(run([put("c")], 0).failures, undefined);
  assert.deepEqual(rows(), ["c"]);
});

/** By default no machine is so slow that a transaction's time is up. */
async function setUp(options = { maxMs: 60_000 }) {
  const db = openForWriting(join(newFolder(), "test.db"));
  await Array.fromAsync(migrate(db, readMigrations(), systemClock));
  db.exec("CREATE TABLE kept (seq INTEGER PRIMARY KEY, value TEXT) STRICT");
  const journal = new ChangeJournal(db);
  const notices = new ChangeNotices();
  const insert = db.prepare("INSERT INTO kept (value) VALUES (?)");
  const put = (value: unknown) => insert.run(String(value)).lastInsertRowid;
  const count = (messageSeq: number) => {
    const changes = new CountChanges();
    changes.add(messageSeq, 0, stateCodes.waiting);
    journal.addCounts(changes, toEpochMs(0));
  };
  const run = createTransactions(
    db,
    ([name, [value]]) => {
      switch (name) {
        case "put":
          return put(value);
        case "note":
          return notices.note({ kind: "setting", name: `${value ?? "a"}` });
        case "noteThenFail":
          notices.note({ kind: "setting", name: "undone" });
          throw new Error("half-way");
        case "leaseMessages":
        case "sync":
          return db.prepare("PRAGMA synchronous").get()?.synchronous;
        case "count":
          return count(Number(value));
        case "countThenFail":
          count(Number(value));
          throw new Error("half-way");
        case "putOrphan":
          return db.exec("INSERT INTO child VALUES (4711)");
        default:
          put("one");
          put("two");
          throw new Error("half-way");
      }
    },
    { ...options, journal, notices },
  );
  const rows = () =>
    db
      .prepare("SELECT value FROM kept ORDER BY seq")
      .all()
      .map(({ value }) => value);
  const counts = () =>
    db
      .prepare("SELECT message_seq, waiting FROM message_counts ORDER BY 1")
      .all()
      .map((row) => Object.values(row));
  return { db, run, rows, counts, notices };
}

function put(value: string): Command {
  return ["put", [value]];
}

function command(name: string): Command {
  return [name, []];
}
