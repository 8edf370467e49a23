/** The audit log of the in-memory store. */

import { type AuditStore, maxAuditEntries } from "@carillon/core";
import { equals } from "./lists.ts";
import type { Tables } from "./tables.ts";

export function createAuditStore({ auditEntries, write }: Tables): AuditStore {
  return {
    addAuditEntry: (entry) =>
      write(() => {
        const seq = (auditEntries.list().at(-1)?.seq ?? 0) + 1;
        auditEntries.put(seq, { ...entry, seq });
        auditEntries.delete(seq - maxAuditEntries);
      }),
    async listAuditEntries(filter, page) {
      const { limit, before = Number.POSITIVE_INFINITY } = page;
      return auditEntries
        .list()
        .filter((it) => it.seq < before && equals(it, filter))
        .reverse()
        .slice(0, limit);
    },
  };
}
