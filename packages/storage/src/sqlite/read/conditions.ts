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

  /** Adds those of another clause. */
  addAll(others: Conditions): this {
    this.#terms.push(...others.#terms);
    this.values.push(...others.values);
    return this;
  }

  get size(): number {
    return this.#terms.length;
  }

  /** All of them, as one expression. */
  get terms(): string {
    return this.#terms.join(" AND ");
  }

  /** Empty when there are no terms. */
  get sql(): string {
    return this.size === 0 ? "" : `WHERE ${this.terms}`;
  }
}
