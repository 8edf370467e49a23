/** The audit log in SQLite: reads, and the way to the writer. */

import type { AuditStore } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type AuditRow, auditEntries } from "../schema/audit-table.ts";
import { Conditions } from "./conditions.ts";

export function createAuditStore({ reader, writer }: Connections): AuditStore {
  return {
    addAuditEntry: (entry, maxEntries) =>
      writer.run("addAuditEntry", entry, maxEntries),
    async listAuditEntries(filter, { limit, before, maxScanned }) {
      // By an index: the primary key, or audit_entries_of_domain.
      const where = new Conditions()
        .addIfSet("domain_id = ?", filter.domainId)
        .addIfSet("seq < ?", before);
      const [lastScanned] =
        reader
          .prepared<[seq: number]>(
            `SELECT seq FROM audit_entries ${where.sql}
             ORDER BY seq DESC LIMIT 1 OFFSET ?`,
          )
          .get(...where.values, maxScanned - 1) ?? [];
      where
        .addIfSet("seq >= ?", lastScanned)
        .addIfSet("user_id = ?", filter.userId)
        .addIfSet("action = ?", filter.action);
      const rows = reader
        .prepared<AuditRow>(
          `SELECT ${auditEntries.columns()} FROM audit_entries ${where.sql}
           ORDER BY seq DESC LIMIT ?`,
        )
        .all(...where.values, limit + 1);
      const entries = rows
        .slice(0, limit)
        .map((row) => auditEntries.fromRow(row));
      const last = rows.length > limit ? entries.at(-1)?.seq : lastScanned;
      return { entries, ...(last !== undefined && { next: last }) };
    },
  };
}
