/**
 * The main thread's own connection, which only reads. A read takes
 * microseconds and sees everything that was answered as written before it.
 */

import type { DatabaseSync } from "node:sqlite";
import { openForReading } from "../connection.ts";
import { toFailure } from "../failure.ts";
import { prepareQuery, type Query, type Row } from "../schema/query.ts";
import { toStorageError } from "../storage-error.ts";
import { closedError } from "../write/writer.ts";

export class Reader {
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #kept = new Map<string, Query<Row>>();

  constructor(file: string) {
    this.#file = file;
    this.#db = openForReading(file);
  }

  /** Prepares a query whose failures are CarillonErrors (STORAGE_…). */
  prepare<Columns extends Row>(sql: string): Query<Columns> {
    const query = this.#translating(() => prepareQuery<Columns>(this.#db, sql));
    return {
      get: (...parameters) => this.#translating(() => query.get(...parameters)),
      all: (...parameters) => this.#translating(() => query.all(...parameters)),
    };
  }

  /** The same for SQL put together from parts: prepared at its first use. */
  prepared<Columns extends Row>(sql: string): Query<Columns> {
    const known = this.#kept.get(sql);
    // Whoever writes the SQL states the same columns each time.
    if (known) return known as unknown as Query<Columns>;
    const query = this.prepare<Columns>(sql);
    this.#kept.set(sql, query as unknown as Query<Row>);
    return query;
  }

  /** Idempotent. */
  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #translating<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (cause) {
      if (!this.#db.isOpen) throw closedError();
      throw toStorageError(toFailure(cause), this.#file, { cause });
    }
  }
}
