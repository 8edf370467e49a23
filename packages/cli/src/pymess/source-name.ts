/** What a source is called in the names of imports: the same in each run. */

import { createHash } from "node:crypto";
import type { SourceDatabase } from "./source-database.ts";

/**
 * By the name of the database and by when pymess's first migration was applied to
 * it: so a database that is moved to another machine stays the same one.
 */
export async function nameSource(db: SourceDatabase): Promise<string> {
  const hash = createHash("sha256").update(db.name);
  if ((await db.kindOf("django_migrations")) === "table") {
    const rows = await db.query(
      `SELECT name, applied FROM django_migrations
       WHERE app = 'pymess' AND ${db.sizeOf("applied")} <= 64
         AND ${db.sizeOf("name")} <= 255 ORDER BY id LIMIT 1`,
    );
    for (const { name, applied } of rows) hash.update(`\n${name} ${applied}`);
  }
  return `pymess:${hash.digest("hex").slice(0, 16)}`;
}
