/** A copy of a database that a server may be writing meanwhile. */

import { backup, DatabaseSync } from "node:sqlite";

/** How much of something long is done. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What {@link copyDatabase} does beside copying. */
export interface CopyDatabaseOptions {
  /** An abort ends the copying; the file of the copy stays in part. */
  readonly signal?: AbortSignal | undefined;
  /** Called with pages. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** 4 MiB at once: Ctrl-C and the progress come in between. */
const pagesAtOnce = 1024;

/**
 * Copies the database as it is at the moment of the call, into a file without
 * a log beside it. What is written meanwhile is neither waited for nor hindered;
 * the writer's log grows until the copy is done.
 *
 * @param copy is overwritten if it is there
 * @throws the error of SQLite; the signal's reason
 */
export async function copyDatabase(
  database: string,
  copy: string,
  { signal, onProgress }: CopyDatabaseOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  using source = new DatabaseSync(database, { readOnly: true, timeout: 5000 });
  // The read transaction holds one state for all steps. Without it SQLite would
  // begin anew with each commit of the writer, and never end.
  source.exec("BEGIN");
  source.prepare("SELECT count(*) FROM sqlite_schema").get();
  await backup(source, copy, {
    rate: pagesAtOnce,
    progress: ({ totalPages, remainingPages }) => {
      signal?.throwIfAborted();
      onProgress?.({ done: totalPages - remainingPages, total: totalPages });
    },
  });
  source.exec("COMMIT");
  using written = new DatabaseSync(copy);
  written.exec("PRAGMA journal_mode = DELETE");
}
