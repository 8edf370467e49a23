/** What `backup` and `restore` have in common: progress, signals, failures. */

import { BackupError, type BackupOptions } from "@carillon/server";
import { CommandFailure } from "./command-failure.ts";
import { createProgressLine } from "./progress.ts";
import { stopSignal } from "./stop-signal.ts";

/**
 * Runs with a progress line on a terminal. Ctrl-C ends the work, which takes
 * away what it made.
 *
 * @throws CommandFailure with the reason
 */
export async function runWithProgress<Result>(
  run: (options: BackupOptions) => Promise<Result>,
): Promise<Result> {
  const line = createProgressLine();
  try {
    return await run({
      signal: stopSignal(),
      onProgress: ({ step, done, total }) =>
        line.show(`${step[0]?.toUpperCase()}${step.slice(1)}`, done, total),
    });
  } catch (error) {
    throw toFailure(error);
  } finally {
    line.clear();
  }
}

function toFailure(error: unknown): unknown {
  if (error instanceof BackupError) {
    const isMisuse = ["TARGET_EXISTS", "NO_DATA"].includes(error.problem);
    return new CommandFailure(error.message, isMisuse ? 2 : 1, {
      cause: error,
    });
  }
  const code = error instanceof Error && "code" in error ? error.code : "";
  return error instanceof Error && /^STORAGE_/.test(String(code))
    ? new CommandFailure(error.message, 1, { cause: error })
    : error;
}

/** Rows of what an operator counts, as a clause. */
export function describeRows(rows: Readonly<Record<string, number>>): string {
  return ["topics", "subscriptions", "messages", "deliveries", "users"]
    .map((table) => `${(rows[table] ?? 0).toLocaleString("en")} ${table}`)
    .join(", ");
}

/** Bytes in the unit that people read. */
export function describeBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(
    units.length - 1,
    Math.floor(Math.log2(Math.max(1, bytes)) / 10),
  );
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power > 0 && value < 10 ? 1 : 0)} ${units[power]}`;
}
