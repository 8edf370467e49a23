/** How values of core stand in columns. */

import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { type EpochMs, toEpochMs } from "@carillon/core/rules";
import { namesOf } from "./codes.ts";

/** Both ways of one column. What decodes to `undefined` is absent. */
export interface Codec<Value> {
  readonly encode: (value: Value) => SQLInputValue;
  readonly decode: (value: SQLOutputValue) => Value;
  /** Of a column of texts; the others hold whole numbers. */
  readonly isText?: true;
  /** The column, where it is not named after the member. */
  readonly column?: string;
  /** In place of the column: what a SELECT reads, and nobody writes. */
  readonly sql?: string;
}

/** A codec of whatever type. */
export interface AnyCodec {
  readonly encode: (value: never) => SQLInputValue;
  readonly decode: (value: SQLOutputValue) => unknown;
  readonly isOptional?: true;
  readonly isText?: true;
  readonly column?: string;
  readonly sql?: string;
}

/** The member of an object may be missing. */
export interface OptionalCodec<Value> extends Codec<Value | undefined> {
  readonly isOptional: true;
}

// The tables are STRICT and written through the same codecs: what a column
// holds is what its codec reads, which is why the casts here hold.

export const integer: Codec<number> = {
  encode: (value) => value,
  decode: (value) => value as number,
};

export const text: Codec<string> = {
  isText: true,
  encode: (value) => value,
  decode: (value) => value as string,
};

/** Bytes. */
export const blob: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (value) => value as Uint8Array,
};

/** A text with a type of its own, such as an id. */
export function textOf<Value extends string>(): Codec<Value> {
  return {
    isText: true,
    encode: (value) => value,
    decode: (value) => value as Value,
  };
}

export const epochMs: Codec<EpochMs> = {
  encode: (value) => value,
  decode: (value) => toEpochMs(value as number),
};

/** A name that stands as a number. */
export function code<Name extends string>(
  codes: Readonly<Record<Name, number>>,
): Codec<Name> {
  const nameOf = namesOf(codes);
  return {
    encode: (name) => codes[name],
    decode: (value) => nameOf(value as number),
  };
}

export function json<Value>(): Codec<Value> {
  return {
    isText: true,
    encode: (value) => JSON.stringify(value),
    decode: (value) => JSON.parse(value as string) as Value,
  };
}

/** 1 when it is set, 0 when not. */
export const flag: OptionalCodec<true> = {
  isOptional: true,
  encode: (value) => (value ? 1 : 0),
  decode: (value) => (value === 0 ? undefined : true),
};

/** What SQL says of a condition; NULL is not true. */
export const truth: Codec<boolean> = {
  encode: (value) => (value ? 1 : 0),
  decode: (value) => value === 1,
};

/** NULL when there is none. */
export function optional<Value>(codec: Codec<Value>): OptionalCodec<Value> {
  return {
    ...codec,
    isOptional: true,
    encode: (value) => (value === undefined ? null : codec.encode(value)),
    decode: (value) => (value === null ? undefined : codec.decode(value)),
  };
}

/** Reads an expression, such as a column of a joined table. */
export function computed<C extends AnyCodec>(sql: string, codec: C): C {
  return { ...codec, sql };
}

/** Stands in a column of another name than its member. */
export function named<C extends AnyCodec>(column: string, codec: C): C {
  return { ...codec, column };
}

/**
 * Refuses what SQLite would keep as something else: no number (as NULL), a
 * number that a read could not give back, a number in a column of texts. What
 * else does not fit a column its STRICT table refuses.
 *
 * @throws TypeError
 */
export function checkFits(
  value: SQLInputValue,
  isText: boolean,
  column: string,
): void {
  if (typeof value === "string" || value === null) return;
  if (typeof value === "number") {
    if (!isText && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
  } else if (typeof value !== "bigint") return;
  throw new TypeError(`cannot store ${value} in column ${column}`);
}
