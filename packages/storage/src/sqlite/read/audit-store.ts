/** The audit log in SQLite: reads, and the way to the writer. */

import { type AuditStore, toEpochMs } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { type AuditRow, auditEntries } from "../schema/audit-table.ts";
import { Conditions } from "./conditions.ts";

export function createAuditStore({ reader, writer }: Connections): AuditStore {
  return {
    addAuditEntry: (entry, maxEntries) =>
      writer.run("addAuditEntry", entry, maxEntries),
    async listAuditEntries(filter, { limit, before, maxScanned }) {
      // By an index: audit_entries_by_time, or audit_entries_of_domain.
      const where = new Conditions()
        .addIfSet("domain_id = ?", filter.domainId)
        .addIfSet("(at, seq) < (?, ?)", before?.at, before?.seq ?? null);
      const scanned = reader
        .prepared<[at: number, seq: number]>(
          `SELECT at, seq FROM audit_entries ${where.sql}
           ORDER BY at DESC, seq DESC LIMIT 1 OFFSET ?`,
        )
        .get(...where.values, maxScanned - 1);
      const lastScanned = scanned && {
        at: toEpochMs(scanned[0]),
        seq: scanned[1],
      };
      where
        .addIfSet("(at, seq) >= (?, ?)", scanned?.[0], scanned?.[1] ?? null)
        .addIfSet("user_id = ?", filter.userId)
        .addIfSet("action = ?", filter.action);
      const rows = reader
        .prepared<AuditRow>(
          `SELECT ${auditEntries.columns()} FROM audit_entries ${where.sql}
           ORDER BY at DESC, seq DESC LIMIT ?`,
        )
        .all(...where.values, limit + 1);
      const entries = rows
        .slice(0, limit)
        .map((row) => auditEntries.fromRow(row));
      const last = rows.length > limit ? entries.at(-1) : lastScanned;
      return {
        entries,
        ...(last && { next: { at: last.at, seq: last.seq } }),
      };
    },
  };
}
