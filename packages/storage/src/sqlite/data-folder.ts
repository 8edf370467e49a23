/** The folder a store lives in: made when absent, explained when unusable. */

import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CarillonError } from "@carillon/core";
import { isDiskFull, toFailure } from "./failure.ts";
import {
  closeToOthers,
  makePrivateFile,
  type OpenToOthers,
} from "./folder-permissions.ts";

/** The files of a store, by their full paths. */
export interface DataFolder {
  readonly path: string;
  readonly database: string;
  readonly lock: string;
  readonly holder: string;
  /** What other users had rights to, and have no more. */
  readonly closedToOthers: readonly OpenToOthers[];
  /** What they have rights to all the same. */
  readonly openToOthers: readonly OpenToOthers[];
}

/** In the data folder while a restore puts files into their places. */
export const unfinishedRestoreName = "restore.moving";

/** Where the files of a data folder are, whether or not they are there. */
export function locateFiles(
  folder: string,
): Omit<DataFolder, "openToOthers" | "closedToOthers"> {
  const path = resolve(folder);
  return {
    path,
    database: join(path, "carillon.db"),
    lock: join(path, "lock.db"),
    holder: join(path, "carillon.pid"),
  };
}

/** @throws CarillonError STORAGE_UNUSABLE */
export function openDataFolder(folder: string): DataFolder {
  const files = locateFiles(folder);
  const { path } = files;
  if (existsSync(join(path, unfinishedRestoreName))) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `A restore into ${path} was interrupted while files were moved: run carillon restore with --force again; what was there before is kept in a folder before-restore-….`,
    );
  }
  try {
    makeFolder(path);
    // SQLite gives what it puts beside a file the rights of that file.
    makePrivateFile(files.database);
    makePrivateFile(files.lock);
    const { closed, open } = closeToOthers(path);
    return { ...files, closedToOthers: closed, openToOthers: open };
  } catch (cause) {
    throw unusableFolder(path, cause);
  }
}

/** A database of which only another copy helps. */
export function damagedDatabase(
  { path, database }: Pick<DataFolder, "path" | "database">,
  cause: unknown,
): CarillonError {
  return new CarillonError(
    "STORAGE_UNUSABLE",
    `The database ${database} is damaged (${toFailure(cause).message}): restore a backup with carillon restore FILE --data ${path} --force, which keeps the damaged files aside.`,
    { cause },
  );
}

/**
 * Folder by folder: where folders cannot be made, as in `/proc`, Node's own
 * recursive way never ends.
 */
function makeFolder(path: string): void {
  if (!existsSync(path)) {
    if (dirname(path) !== path) makeFolder(dirname(path));
    try {
      // What is kept is for the service alone: messages, endpoints, keys.
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      // Another start was quicker, or a link leads nowhere.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  // Says so when it is no folder.
  readdirSync(path);
}

export function unusableFolder(path: string, cause: unknown): CarillonError {
  const isFull = isDiskFull(cause);
  const advice = isFull
    ? "Make room on it, or choose another folder"
    : "Make it a folder that this user may read and write, or choose another one";
  return new CarillonError(
    "STORAGE_UNUSABLE",
    `The data folder ${path} cannot be used: ${isFull ? "the disk is full" : reasonOf(cause)}. ${advice}.`,
    { cause },
  );
}

function reasonOf(cause: unknown): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EPERM: "the operation is not permitted",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is no folder",
  ENOENT: "it cannot be created there",
};
