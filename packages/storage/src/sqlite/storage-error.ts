/**
 * From SQLite's result codes to what a caller does about them: wait, make room,
 * or give the operation up. https://sqlite.org/rescode.html
 */

import { CarillonError, type ErrorCode } from "@carillon/core";
import { type Failure, isDamage } from "./failure.ts";

/** `file`: the database that was written or read. */
export function toStorageError(
  failure: Failure,
  file: string,
  options?: ErrorOptions,
): CarillonError {
  const code = codeOf(failure);
  return new CarillonError(
    code,
    `The store could not use ${file}: ${failure.message}. Nothing was changed; ${isDamage(failure) ? damageAdvice : advice[code]}.`,
    options ?? { cause: failure },
  );
}

type StorageErrorCode = Extract<
  ErrorCode,
  "STORAGE_FULL" | "STORAGE_UNAVAILABLE" | "STORAGE_REFUSED"
>;

const advice: Readonly<Record<StorageErrorCode, string>> = {
  STORAGE_FULL: "make room on the disk, then try again",
  STORAGE_UNAVAILABLE: "see that the disk works, then try again",
  STORAGE_REFUSED: "trying again would not help",
};

const damageAdvice = "the database is damaged: restore a backup";

/** SQLite's primary result codes of what passes by itself or by an operator. */
const transientCodes: ReadonlySet<number> = new Set([
  5, // BUSY
  6, // LOCKED
  7, // NOMEM
  8, // READONLY: a file system that was mounted again as read-only
  10, // IOERR
  14, // CANTOPEN: also when a file of the journal cannot be made
  15, // PROTOCOL: a lock of the journal could not be had
]);
const full = 13;

function codeOf({ errcode }: Failure): StorageErrorCode {
  const primary = (errcode ?? 0) & 0xff;
  if (primary === full) return "STORAGE_FULL";
  return transientCodes.has(primary)
    ? "STORAGE_UNAVAILABLE"
    : "STORAGE_REFUSED";
}
