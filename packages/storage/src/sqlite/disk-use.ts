/** How much room a store takes, and how much is left for it. */

import { stat, statfs } from "node:fs/promises";
import { locateFiles } from "./data-folder.ts";

/** Sizes in bytes. */
export interface DiskUse {
  readonly databaseBytes: number;
  /** The write-ahead log; 0 when there is none. */
  readonly walBytes: number;
  /** Room that this user may take on the folder's disk. */
  readonly freeBytes: number;
}

/**
 * Looks at the files of a data folder, whether or not its store is open.
 *
 * @throws the error of the file system when the folder cannot be read
 */
export async function readDiskUse(folder: string): Promise<DiskUse> {
  const { database } = locateFiles(folder);
  const [databaseBytes, walBytes, { bavail, bsize }] = await Promise.all([
    sizeOf(database),
    sizeOf(`${database}-wal`),
    statfs(folder),
  ]);
  return { databaseBytes, walBytes, freeBytes: bavail * bsize };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
