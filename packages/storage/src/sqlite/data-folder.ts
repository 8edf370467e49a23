/** The folder a store lives in: made when absent, explained when unusable. */

import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
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
  /** What other users have rights to all the same. */
  readonly openToOthers: readonly OpenToOthers[];
}

/** In the data folder while a restore puts files into their places. */
export const unfinishedRestoreName = "restore.moving";

/** Where the files of a data folder are, whether or not they are there. */
export function locateFiles(folder: string): Omit<DataFolder, "openToOthers"> {
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
    // What is kept is for the service alone: messages, endpoints, keys.
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // SQLite gives what it puts beside a file the rights of that file.
    makePrivateFile(files.database);
    makePrivateFile(files.lock);
    return { ...files, openToOthers: closeToOthers(path) };
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

export function unusableFolder(path: string, cause: unknown): CarillonError {
  return new CarillonError(
    "STORAGE_UNUSABLE",
    `The data folder ${path} cannot be used: ${reasonOf(cause)}. ${
      isDiskFull(cause)
        ? "Make room"
        : "Make it a folder that this user may read and write"
    }, or choose another one.`,
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
  EEXIST: "there is a file of that name",
  ENOENT: "it cannot be created there",
  ENOSPC: "the disk is full",
};
