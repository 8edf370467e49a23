/** Writes of the audit log. */

import type { DatabaseSync } from "node:sqlite";
import type { NewAuditEntry } from "@carillon/core";
import { auditCheckInterval, surplusAuditEntries } from "@carillon/core/rules";
import { newAuditEntries } from "../schema/audit-table.ts";
import { prepareQuery } from "../schema/query.ts";

export function createAuditWrites(db: DatabaseSync) {
  const insert = db.prepare(newAuditEntries.insert);
  /** Walks the index audit_entries_of_source. */
  const sources = prepareQuery<
    [domainId: string | null, userId: string | null, count: number]
  >(
    db,
    `SELECT domain_id, source, count(*)
     FROM audit_entries INDEXED BY audit_entries_of_source
     GROUP BY domain_id, source`,
  );
  /** Parameters: domain, user, how many. Index: audit_entries_of_source. */
  const forgetOldest = db.prepare(
    `DELETE FROM audit_entries WHERE seq IN
       (SELECT seq FROM audit_entries INDEXED BY audit_entries_of_source
        WHERE domain_id IS ? AND source IS ? ORDER BY seq LIMIT ?)`,
  );

  function forget(maxEntries: number): void {
    const counts = sources.all().map(([domainId, userId, count]) => ({
      domainId: domainId ?? undefined,
      userId: userId ?? undefined,
      count,
    }));
    for (const { source, surplus } of surplusAuditEntries(counts, maxEntries)) {
      const { domainId = null, userId = null } = source;
      forgetOldest.run(domainId, userId, surplus);
    }
  }

  return {
    addAuditEntry(entry: NewAuditEntry, maxEntries: number): void {
      const { lastInsertRowid } = insert.run(...newAuditEntries.toRow(entry));
      const seq = Number(lastInsertRowid);
      // There are no more entries than numbers were given.
      if (seq > maxEntries && seq % auditCheckInterval === 0) {
        forget(maxEntries);
      }
    },
  };
}
