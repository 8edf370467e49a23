/**
 * The rival of publishing to mailboxes: plain SQL that inserts the same rows into the
 * same table, as many in a transaction. Answers {@link MailboxRowsQuestion}.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSqliteStore } from "@carillon/storage";
import { serveQuestions } from "../program.ts";

export interface MailboxRowsQuestion {
  /** One to each of so many mailboxes. */
  readonly rows: number;
}

/** As of a fan-out. */
const rowsOfTransaction = 500;

const fortnightMs = 14 * 86_400_000;

const folder = mkdtempSync(join(tmpdir(), "carillon-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.on("SIGTERM", () => process.exit());

// The table with all its indexes is the store's own.
await (await openSqliteStore({ folder })).close();
const db = new DatabaseSync(join(folder, "carillon.db"));
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
/** Waiting (0), in a mailbox, to be leased (1). */
const insert = db.prepare(
  `INSERT INTO deliveries (message_seq, target, state, attempts, mailbox,
     queue_state, expires_at) VALUES (?, ?, 0, 0, ?, 1, ?)`,
);
let messages = 0;

serveQuestions(0, ({ rows }: MailboxRowsQuestion) => {
  const message = ++messages;
  const expiresAt = Date.now() + fortnightMs;
  const begun = performance.now();
  for (let from = 1; from <= rows; from += rowsOfTransaction) {
    db.exec("BEGIN IMMEDIATE");
    for (let n = from; n < Math.min(from + rowsOfTransaction, rows + 1); n++) {
      insert.run(message, n, n, expiresAt);
    }
    db.exec("COMMIT");
  }
  return { seconds: (performance.now() - begun) / 1000 };
});
