/** What is left of an error on its way between threads. */

/** Why an operation failed; what is left of an error between threads. */
export interface Failure {
  readonly message: string;
  /** SQLite's extended result code; `undefined` when SQLite was not reached. */
  readonly errcode?: number;
}

export function toFailure(error: unknown): Failure {
  const { message = String(error), errcode } = error as Partial<Failure>;
  return { message, ...(errcode !== undefined && { errcode }) };
}

/** SQLite's primary result codes that concern one row alone. */
const rowCodes: ReadonlySet<number> = new Set([
  18, // TOOBIG
  19, // CONSTRAINT: also the types of STRICT tables
  20, // MISMATCH
]);

/**
 * Whether a statement failed for its values, which would fail again in any
 * other transaction, rather than for the database or the disk.
 */
export function isRowRefused(error: unknown): boolean {
  const { errcode } = toFailure(error);
  if (errcode !== undefined) return rowCodes.has(errcode & 0xff);
  // The driver's, for what cannot be bound, and ours, for what is missing.
  return error instanceof TypeError || error instanceof RangeError;
}

/**
 * Whether the file is no database, or one whose content contradicts itself:
 * only another copy of it helps.
 */
export function isDamage(error: unknown): boolean {
  const { errcode } = toFailure(error);
  // CORRUPT, NOTADB
  return errcode !== undefined && [11, 26].includes(errcode & 0xff);
}

/** Whether the disk has no room, by SQLite's word or the system's. */
export function isDiskFull(error: unknown): boolean {
  const { errcode } = toFailure(error);
  const { code = "" } = error as NodeJS.ErrnoException;
  const isFull = errcode !== undefined && (errcode & 0xff) === 13;
  return isFull || ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
}
