/** How the database is opened. */

import { DatabaseSync } from "node:sqlite";

/** The only connection that writes while the store is open. */
export function openForWriting(file: string): DatabaseSync {
  const db = new DatabaseSync(file, {
    // Keys are never taken from outside: checking them costs every insert.
    enableForeignKeyConstraints: false,
    // An operator's shell may hold a lock for a moment.
    timeout: 5000,
  });
  db.exec(`
    PRAGMA journal_mode = WAL;
    -- A commit is on the platter before it is answered.
    PRAGMA synchronous = FULL;
    -- 16 MB each way. Not mapped into memory: a walk through a million
    -- subscriptions would then count as the process's own.
    PRAGMA cache_size = -16000;
    PRAGMA wal_autocheckpoint = 4000;
    -- What a burst blew up is cut again.
    PRAGMA journal_size_limit = 67108864;
    PRAGMA temp_store = MEMORY;
  `);
  return db;
}

/** A connection that sees every commit and never waits for the writer. */
export function openForReading(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  db.exec("PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY;");
  return db;
}
