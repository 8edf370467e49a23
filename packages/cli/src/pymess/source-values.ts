/**
 * Values of a source's rows as what they are to be. A row whose values are
 * something else is a {@link RowProblem}, which is said of it, and costs no other.
 */

import type { SourceRow, SourceValue } from "./source-database.ts";

/** Why a row cannot be imported, as a sentence. */
export class RowProblem extends Error {
  override readonly name = "RowProblem";
}

/** Reads the columns of one row; a column that the table lacks is NULL. */
export class RowValues {
  readonly #row: SourceRow;

  constructor(row: SourceRow) {
    this.#row = row;
  }

  /** NULL and empty are both none: Django keeps either. */
  text(column: string): string | undefined {
    const value = this.#row[column] ?? null;
    if (value === null || value === "") return undefined;
    if (typeof value === "string") return value;
    throw expected(column, "text", value);
  }

  /** @throws RowProblem also when there is none */
  neededText(column: string): string {
    const value = this.text(column);
    if (value !== undefined) return value;
    throw new RowProblem(`${column} is empty.`);
  }

  integer(column: string): number | undefined {
    const value = this.#row[column] ?? null;
    if (value === null) return undefined;
    const number = toInteger(value);
    if (number !== undefined) return number;
    throw expected(column, "a whole number", value);
  }

  boolean(column: string): boolean | undefined {
    const value = this.#row[column] ?? null;
    if (value === null) return undefined;
    const text = String(value);
    if (text === "1" || text === "t" || text === "true") return true;
    if (text === "0" || text === "f" || text === "false") return false;
    throw expected(column, "true or false", value);
  }

  /** As RFC 3339, in UTC. */
  instant(column: string): string | undefined {
    const value = this.#row[column] ?? null;
    if (value === null) return undefined;
    const instant = typeof value === "string" ? toInstant(value) : undefined;
    if (instant !== undefined) return instant;
    throw expected(column, "an instant such as 2020-01-31 08:30:00", value);
  }

  /** @throws RowProblem also when there is none */
  neededInstant(column: string): string {
    const value = this.instant(column);
    if (value !== undefined) return value;
    throw new RowProblem(`${column} is empty.`);
  }

  /** A JSON object. */
  object(column: string): object | undefined {
    const text = this.text(column);
    if (text === undefined) return undefined;
    const value = parseJson(column, text);
    if (value === null) return undefined;
    if (typeof value === "object" && !Array.isArray(value)) return value;
    throw new RowProblem(`${column} holds JSON, but no object.`);
  }
}

/** A whole number that JavaScript can count with. */
export function toInteger(value: SourceValue): number | undefined {
  if (typeof value !== "bigint" && typeof value !== "string") return undefined;
  if (typeof value === "string" && !/^-?\d{1,16}$/.test(value))
    return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * Django's instants: without a zone they are in UTC, as it keeps them in SQLite.
 * What is finer than a millisecond is dropped.
 */
function toInstant(text: string): string | undefined {
  const parts =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(
      text,
    );
  if (!parts) return undefined;
  const [, day, time, fraction = "", zone = "Z"] = parts;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone;
  const ms = fraction.slice(0, 3).padEnd(3, "0");
  const at = new Date(
    `${day}T${time}.${ms}${offset.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2")}`,
  );
  return Number.isNaN(at.getTime()) || at.getTime() < 0
    ? undefined
    : at.toISOString();
}

function parseJson(column: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message has a piece of it, which may be private.
    throw new RowProblem(`${column} holds no valid JSON.`);
  }
}

/** Not the value itself, which may be private, or long. */
function expected(
  column: string,
  what: string,
  value: SourceValue,
): RowProblem {
  return new RowProblem(
    `${column}: ${what} is expected, there is ${kindOf(value)}.`,
  );
}

function kindOf(value: SourceValue): string {
  if (value === null) return "nothing";
  if (typeof value === "string") return `a text of ${value.length} characters`;
  if (typeof value === "object") return `${value.length} bytes`;
  return "a number";
}
