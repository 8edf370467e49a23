/** The folder a store lives in: made when absent, explained when unusable. */

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { CarillonError } from "@carillon/core";
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

/** @throws CarillonError STORAGE_UNUSABLE */
export function openDataFolder(folder: string): DataFolder {
  const path = resolve(folder);
  try {
    // What is kept is for the service alone: messages, endpoints, keys.
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const folder = {
      path,
      database: join(path, "carillon.db"),
      lock: join(path, "lock.db"),
      holder: join(path, "carillon.pid"),
    };
    // SQLite gives what it puts beside a file the rights of that file.
    makePrivateFile(folder.database);
    makePrivateFile(folder.lock);
    return { ...folder, openToOthers: closeToOthers(path) };
  } catch (cause) {
    throw unusableFolder(path, cause);
  }
}

export function unusableFolder(path: string, cause: unknown): CarillonError {
  return new CarillonError(
    "STORAGE_UNUSABLE",
    `The data folder ${path} cannot be used: ${reasonOf(cause)}. Make it a folder that this user may read and write, or choose another one.`,
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
