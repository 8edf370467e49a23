/**
 * What a member of a row may be. The in-memory store keeps what a table of a
 * strict database would keep, and refuses the rest: a double that took more
 * would hide from the engine what stops it in service.
 */

import { CarillonError } from "@carillon/core";

/**
 * Answers the value as it is kept: a copy that nobody else has, frozen.
 *
 * @throws TypeError that says what is needed
 */
export type Column = (value: unknown) => unknown;

/** A column for each member of a row; what has none is not kept. */
export type Columns<Row> = { readonly [Name in keyof Row]-?: Column };

/** @throws CarillonError STORAGE_REFUSED: a member that cannot be kept */
export function toRow<Row extends object>(
  columns: Columns<Row>,
  row: Row,
): Row {
  try {
    // Each member has been through its column.
    return object(columns)(row) as Row;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CarillonError(
      "STORAGE_REFUSED",
      `The store cannot keep ${cause.message}.`,
      { cause },
    );
  }
}

/** A whole number that is read back as it was written. */
export const integer: Column = (value) =>
  Number.isSafeInteger(value) ? value : refuse(value, "a whole number");

export const real: Column = (value) =>
  Number.isFinite(value) ? value : refuse(value, "a number");

/** In UTF-8 a lone surrogate has no place. */
export const text: Column = (value) =>
  typeof value === "string" ? value.toWellFormed() : refuse(value, "a text");

export const flag: Column = (value) =>
  typeof value === "boolean" ? value : refuse(value, "true or false");

/** A copy that nobody else writes into. */
export const bytes: Column = (value) =>
  value instanceof Uint8Array ? value.slice() : refuse(value, "bytes");

/** Kept as JSON, which leaves out what has no place in it. */
export const json: Column = (value) => {
  const kept: unknown = JSON.parse(JSON.stringify(value) ?? "null");
  return kept === null ? refuse(value, "JSON") : freeze(kept);
};

export function oneOf(words: readonly string[]): Column {
  return (value) =>
    typeof value === "string" && words.includes(value)
      ? value
      : refuse(value, `one of ${words.join(", ")}`);
}

/** An absent member stays absent. */
export function optional(column: Column): Column {
  return (value) => (value === undefined ? undefined : column(value));
}

export function list(column: Column): Column {
  return (value) =>
    Array.isArray(value)
      ? Object.freeze(value.map(column))
      : refuse(value, "a list");
}

export function object<Row extends object>(columns: Columns<Row>): Column {
  // Object.entries forgets the type of the values.
  const entries = Object.entries(columns) as [string, Column][];
  return (value) => {
    if (typeof value !== "object" || value === null) {
      return refuse(value, "an object");
    }
    const kept: Record<string, unknown> = {};
    for (const [name, column] of entries) {
      const member = keepMember(name, column, Reflect.get(value, name));
      if (member !== undefined) kept[name] = member;
    }
    return Object.freeze(kept);
  };
}

function keepMember(name: string, column: Column, value: unknown): unknown {
  try {
    return column(value);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new TypeError(`${name}: ${cause.message}`, { cause });
  }
}

function refuse(value: unknown, needed: string): never {
  const given = typeof value === "number" ? `${value}` : `a ${typeof value}`;
  throw new TypeError(`${given} where ${needed} is needed`);
}

function freeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
