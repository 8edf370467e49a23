/**
 * A look into the database of a data folder without opening its store: for a
 * copy, for one that is damaged, or beside a server that uses it.
 */

import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "@carillon/core";
import { isDamage, toFailure } from "../failure.ts";
import { readMigrations } from "../schema/migrations.ts";
import { prepareQuery } from "../schema/query.ts";
import type { Progress } from "./copy-database.ts";

/** An access key as it is kept: its secret key is sealed. */
export interface SealedAccessKey {
  readonly accessKey: string;
  readonly encryptedSecret: string;
}

/** The schema that this version writes. */
export function newestSchemaVersion(): number {
  return readMigrations().at(-1)?.version ?? 0;
}

interface CheckOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with tables. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A database that is only read. Every method throws the errors of SQLite. */
export class DatabaseFile implements Disposable {
  readonly #db: DatabaseSync;

  /** @throws the error of SQLite, or of the file system when it is not there */
  constructor(path: string) {
    // SQLite's own word for a file that is missing does not say so.
    statSync(path);
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  }

  /** 0: no version of Carillon has written it. */
  get schemaVersion(): number {
    if (!this.#tables().includes("migrations")) return 0;
    const newest = prepareQuery<[version: number | null]>(
      this.#db,
      "SELECT max(version) FROM migrations",
    ).get();
    return newest?.[0] ?? 0;
  }

  /** Bytes of the database without its log. */
  get bytes(): number {
    const [pages = 0] =
      prepareQuery<[number]>(this.#db, "PRAGMA page_count").get() ?? [];
    const [pageBytes = 0] =
      prepareQuery<[number]>(this.#db, "PRAGMA page_size").get() ?? [];
    return pages * pageBytes;
  }

  /** Rows by table. */
  countRows(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#tables().map((table) => [
        table,
        prepareQuery<[number]>(
          this.#db,
          `SELECT count(*) FROM "${table}"`,
        ).get()?.[0] ?? 0,
      ]),
    );
  }

  /**
   * What SQLite finds wrong with pages, rows and indexes, table by table; empty
   * when all is well.
   *
   * @param depth `quick`: without comparing indexes with their tables
   * @throws the signal's reason, between two tables
   */
  async findDamage(
    depth: "quick" | "full",
    options: CheckOptions = {},
  ): Promise<readonly string[]> {
    const pragma = depth === "quick" ? "quick_check" : "integrity_check";
    const damage: string[] = [];
    const check = (table: string) => {
      const lines = prepareQuery<[string]>(
        this.#db,
        `PRAGMA ${pragma}("${table}")`,
      ).all();
      damage.push(...lines.map(([line]) => line).filter((it) => it !== "ok"));
    };
    try {
      await this.#forEachTable(check, options);
    } catch (error) {
      if (!isDamage(error)) throw error;
      damage.push(toFailure(error).message);
    }
    return damage;
  }

  async #forEachTable(
    check: (table: string) => void,
    options: CheckOptions,
  ): Promise<void> {
    const tables = this.#tables();
    for (const [done, table] of ["sqlite_schema", ...tables].entries()) {
      await systemClock.nextTurn();
      options.signal?.throwIfAborted();
      options.onProgress?.({ done, total: tables.length + 1 });
      check(table);
    }
  }

  findSetting(name: string): string | undefined {
    return prepareQuery<[string]>(
      this.#db,
      "SELECT value FROM settings WHERE name = ?",
    ).get(name)?.[0];
  }

  /** The oldest access key; `undefined` before the first start is over. */
  findSealedAccessKey(): SealedAccessKey | undefined {
    const row = prepareQuery<[string, string]>(
      this.#db,
      "SELECT access_key, encrypted_secret FROM access_keys ORDER BY seq LIMIT 1",
    ).get();
    return row && { accessKey: row[0], encryptedSecret: row[1] };
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #tables(): string[] {
    return prepareQuery<[string]>(
      this.#db,
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
      .all()
      .map(([name]) => name);
  }
}
