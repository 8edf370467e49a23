/** Prepared statements with typed rows. */

import type {
  DatabaseSync,
  SQLInputValue,
  SQLOutputValue,
  StatementSync,
} from "node:sqlite";

export type { SQLInputValue, SQLOutputValue };

/** What a row can be: the type of each selected column, in order. */
export type Row = readonly SQLOutputValue[];

/** A SELECT. */
export interface Query<Columns extends Row> {
  /** The first row. */
  get(...parameters: SQLInputValue[]): Columns | undefined;
  all(...parameters: SQLInputValue[]): Columns[];
}

/**
 * Prepares a query. Rows come as arrays, which are read three times as fast as
 * objects; the caller states their columns beside the SQL. What is asked often
 * has its limit as `LIMIT +?`: where a bare parameter stands there, SQLite plans
 * with its value, and prepares the statement anew each time one is bound.
 */
export function prepareQuery<Columns extends Row>(
  db: DatabaseSync,
  sql: string,
): Query<Columns> {
  const statement: StatementSync = db.prepare(sql);
  statement.setReturnArrays(true);
  // The driver's types know rows as objects only, and no columns: the tables
  // are STRICT, so what the SQL selects is what comes.
  return statement as unknown as Query<Columns>;
}

/** SQL has only NULL for what is absent. */
export function orNull<Value>(value: Value | undefined): Value | null {
  return value === undefined ? null : value;
}
