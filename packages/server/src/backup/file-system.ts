/** What making and restoring a backup need of the file system. */

import { open } from "node:fs/promises";

/** So that a name that was changed is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders.
  if (process.platform === "win32") return;
  await using folder = await open(path);
  await folder.sync();
}

/** The system's code, or SQLite's words; empty for other errors. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("errcode" in error) return error.message;
  return "code" in error ? String(error.code) : "";
}
