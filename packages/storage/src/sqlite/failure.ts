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
