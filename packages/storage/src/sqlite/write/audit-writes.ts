/** Writes of the audit log. */

import type { DatabaseSync } from "node:sqlite";
import type { NewAuditEntry } from "@carillon/core";
import { newAuditEntries } from "../schema/audit-table.ts";

export function createAuditWrites(db: DatabaseSync) {
  const insert = db.prepare(newAuditEntries.insert);
  /** Parameters: number of the newest that goes. Index: the primary key. */
  const forget = db.prepare("DELETE FROM audit_entries WHERE seq <= ?");

  return {
    addAuditEntry(entry: NewAuditEntry, maxEntries: number): void {
      const { lastInsertRowid } = insert.run(...newAuditEntries.toRow(entry));
      forget.run(Number(lastInsertRowid) - maxEntries);
    },
  };
}
