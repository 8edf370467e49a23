/** Opens the database that a DSN names. */

import { CommandFailure } from "../command-failure.ts";
import type { SourceDatabase } from "./source-database.ts";

/**
 * A path or `sqlite:///path` is a SQLite file, as in dj-database-url, where an
 * absolute path makes four slashes; `postgres://` is PostgreSQL.
 *
 * @throws CommandFailure
 */
export async function openSource(dsn: string): Promise<SourceDatabase> {
  if (/^postgres(?:ql)?:\/\//i.test(dsn)) {
    if (!URL.canParse(dsn)) {
      // Without the DSN, which may hold a password.
      throw new CommandFailure(
        "--dsn is no URL such as postgres://user:password@host:5432/database: are characters such as @ and / in the password escaped?",
        2,
      );
    }
    const { openPostgresDatabase } = await import("./postgres-database.ts");
    return await openPostgresDatabase(dsn);
  }
  const [, scheme] = /^([a-z][a-z\d+.-]+):\/\//i.exec(dsn) ?? [];
  if (scheme !== undefined && !/^sqlite(?:3)?$/i.test(scheme)) {
    throw new CommandFailure(
      `Databases of ${scheme}:// are not read; give sqlite:///path, the path of a SQLite file, or postgres://…`,
      2,
    );
  }
  const path = dsn.replace(/^sqlite3?:\/\/\/?/i, "");
  const { openSqliteDatabase } = await import("./sqlite-database.ts");
  return openSqliteDatabase(path);
}
