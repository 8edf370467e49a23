/** The audit log in SQLite: reads, and the way to the writer. */

import { type AuditStore, maxAuditEntries } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type AuditRow, auditEntries } from "../schema/audit-table.ts";
import { Conditions } from "./conditions.ts";

export function createAuditStore({ reader, writer }: Connections): AuditStore {
  return {
    addAuditEntry: (entry) =>
      writer.run("addAuditEntry", entry, maxAuditEntries),
    async listAuditEntries({ domainId, userId, action }, { limit, before }) {
      const where = new Conditions()
        .addIfSet("domain_id = ?", domainId)
        .addIfSet("user_id = ?", userId)
        .addIfSet("action = ?", action)
        .addIfSet("seq < ?", before);
      return reader
        .prepared<AuditRow>(
          `SELECT ${auditEntries.columns()} FROM audit_entries ${where.sql}
           ORDER BY seq DESC LIMIT ?`,
        )
        .all(...where.values, limit)
        .map((row) => auditEntries.fromRow(row));
    },
  };
}
