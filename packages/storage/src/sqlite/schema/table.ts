/**
 * One description of a table's columns: it gives the type of its rows as core
 * has them, the lists of columns of statements, and both ways between a row and
 * an object. Compiled once; a row costs one object and nothing else.
 */

import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { AnyCodec } from "./codec.ts";

/** By the member's name in core; its column is called the same in snake_case. */
export type Shape = Readonly<Record<string, AnyCodec>>;

type Decoded<Entry extends AnyCodec> = ReturnType<Entry["decode"]>;

type OptionalNames<S extends Shape> = {
  [K in keyof S]: S[K] extends { readonly isOptional: true } ? K : never;
}[keyof S];

/** A row as an object. */
export type ValueOf<S extends Shape> = {
  readonly [K in Exclude<keyof S, OptionalNames<S>>]: Decoded<S[K]>;
} & {
  readonly [K in OptionalNames<S>]?: Exclude<Decoded<S[K]>, undefined>;
};

declare const rowOf: unique symbol;

/** A row as SQLite gives it, of columns that were listed by a description. */
export type RowOf<Value> = readonly SQLOutputValue[] & OfTable<Value>;

/** Never there: it keeps rows of different tables apart. */
export interface OfTable<Value> {
  readonly [rowOf]?: Value;
}

export interface Table<Value> {
  readonly name: string;
  /** Its columns, in order. */
  readonly names: readonly string[];
  /** How many columns a row has. */
  readonly width: number;
  /** The columns for a SELECT, from the table or another name of it. */
  columns(alias?: string): string;
  /** An INSERT with a parameter for each column. */
  readonly insert: string;
  /** The same in place of the row that has the key. */
  replace(...key: readonly (keyof Value & string)[]): string;
  /** Parameters of `insert` and `replace`. */
  toRow(value: Value): SQLInputValue[];
  /** `from`: where its columns begin in the row. */
  fromRow(row: RowOf<Value>, from?: number): Value;
  /** The place of a value in a row. */
  indexOf(name: keyof Value & string): number;
}

/** `prefix`: of all its columns, as of an object that is kept in a row. */
export function defineTable<const S extends Shape>(
  name: string,
  shape: S,
  { prefix = "" } = {},
): Table<ValueOf<S>> {
  type Value = ValueOf<S>;
  const keys = Object.keys(shape);
  const entries = Object.values<AnyCodec>(shape);
  const names = keys.map(
    (key, n) => prefix + (entries[n]?.column ?? toSnakeCase(key)),
  );
  const decoders = entries.map(({ decode }) => decode);
  const encoders = entries.map(
    // Given the member of the same name, whose type is the codec's own.
    ({ encode }) => encode as (value: unknown) => SQLInputValue,
  );
  const placeholders = names.map(() => "?").join(", ");
  const insert = `INSERT INTO ${name} (${names.join(", ")})
    VALUES (${placeholders})`;
  return {
    name,
    names,
    width: keys.length,
    insert,
    columns: (alias = name) =>
      names
        .map((column, n) => entries[n]?.sql ?? `${alias}.${column}`)
        .join(", "),
    replace(...key) {
      const conflict = key.map((name) => names[keys.indexOf(name)]);
      const changes = names
        .filter((column) => !conflict.includes(column))
        .map((column) => `${column} = excluded.${column}`);
      return `${insert}
        ON CONFLICT (${conflict.join(", ")}) DO UPDATE SET ${changes.join(", ")}`;
    },
    toRow(value) {
      const members = value as Readonly<Record<string, unknown>>;
      // Pushed one by one: an array that `map` makes counts as one with holes,
      // and takes half as long again to another thread.
      const row: SQLInputValue[] = [];
      for (let n = 0; n < keys.length; n++) {
        row.push(encoders[n]?.(members[keys[n] ?? ""]) ?? null);
      }
      return row;
    },
    fromRow(row, from = 0) {
      const value: Record<string, unknown> = {};
      for (let n = 0; n < keys.length; n++) {
        const member = decoders[n]?.(row[from + n] ?? null);
        // An absent member is no member.
        if (member !== undefined) value[keys[n] ?? ""] = member;
      }
      return value as Value;
    },
    indexOf: (key) => keys.indexOf(key),
  };
}

/** The description without some columns: those that SQLite itself gives. */
export function omit<S extends Shape, const Name extends keyof S>(
  shape: S,
  ...omitted: readonly Name[]
): Omit<S, Name> {
  const left = Object.entries(shape).filter(
    ([key]) => !omitted.includes(key as Name),
  );
  // What is left has the same types.
  return Object.fromEntries(left) as unknown as Omit<S, Name>;
}

/** The description of some columns. */
export function pick<S extends Shape, const Name extends keyof S>(
  shape: S,
  ...picked: readonly Name[]
): Pick<S, Name> {
  const entries = picked.map((name) => [name, shape[name]] as const);
  return Object.fromEntries(entries) as unknown as Pick<S, Name>;
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
