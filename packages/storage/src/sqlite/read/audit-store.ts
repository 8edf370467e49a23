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
      const scanned = new Conditions()
        .addIfSet("domain_id = ?", filter.domainId)
        .addIfSet("seq < ?", before);
      const wanted = new Conditions()
        .addIfSet("user_id = ?", filter.userId)
        .addIfSet("action = ?", filter.action);
      const rows = reader
        .prepared<AuditRow>(
          `SELECT ${auditEntries.columns()} FROM
             (SELECT * FROM audit_entries ${scanned.sql}
              ORDER BY seq DESC LIMIT ?) AS audit_entries
           ${wanted.sql} ORDER BY seq DESC LIMIT ?`,
        )
        .all(...scanned.values, maxScanned, ...wanted.values, limit + 1);
      const entries = rows
        .slice(0, limit)
        .map((row) => auditEntries.fromRow(row));
      const last = entries.at(-1);
      if (last && rows.length > limit) return { entries, next: last.seq };
      const [lastScanned] =
        reader
          .prepared<[seq: number]>(
            `SELECT seq FROM audit_entries ${scanned.sql}
             ORDER BY seq DESC LIMIT 1 OFFSET ?`,
          )
          .get(...scanned.values, maxScanned - 1) ?? [];
      return {
        entries,
        ...(lastScanned !== undefined && { next: lastScanned }),
      };
    },
  };
}
