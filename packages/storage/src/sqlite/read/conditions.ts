/** The WHERE clause of a list with optional filters. */

import type { SQLInputValue } from "../schema/query.ts";

export class Conditions {
  readonly #terms: string[] = [];
  readonly values: SQLInputValue[] = [];

  add(term: string, ...values: SQLInputValue[]): this {
    this.#terms.push(term);
    this.values.push(...values);
    return this;
  }

  /** Adds the term unless its first value is absent. */
  addIfSet(
    term: string,
    value: SQLInputValue | undefined,
    ...more: SQLInputValue[]
  ): this {
    return value === undefined ? this : this.add(term, value, ...more);
  }

  get size(): number {
    return this.#terms.length;
  }

  /** Empty when there are no terms. */
  get sql(): string {
    return this.size === 0 ? "" : `WHERE ${this.#terms.join(" AND ")}`;
  }
}
