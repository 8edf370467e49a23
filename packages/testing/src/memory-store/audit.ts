/** The audit log of the in-memory store. */

import {
  type AuditEntry,
  type AuditPosition,
  type AuditStore,
  auditCheckInterval,
  refusedLoginAction,
  surplusAuditEntries,
} from "@carillon/core";
import { equals } from "./lists.ts";
import type { Tables } from "./tables.ts";

export function createAuditStore({ auditEntries, write }: Tables): AuditStore {
  function forget(maxEntries: number): void {
    const bySource = Map.groupBy(auditEntries.list(), (entry) =>
      JSON.stringify([entry.domainId, sourceOf(entry)]),
    );
    const sources = [...bySource.values()].map((entries) => ({
      entries,
      domainId: entries[0]?.domainId,
      count: entries.length,
    }));
    for (const { source, surplus } of surplusAuditEntries(
      sources,
      maxEntries,
    )) {
      for (const { seq } of source.entries.slice(0, surplus)) {
        auditEntries.delete(seq);
      }
    }
  }

  let added = 0;
  return {
    addAuditEntry: (entry, maxEntries) =>
      write(() => {
        const seq = ++added;
        auditEntries.put(seq, { ...entry, seq });
        if (seq % auditCheckInterval === 0) forget(maxEntries);
      }),
    async listAuditEntries({ domainId, ...wanted }, page) {
      const { limit, before, maxScanned } = page;
      const all = auditEntries
        .list()
        .filter((it) => equals(it, { domainId }))
        .filter((it) => !before || compare(it, before) < 0)
        .sort((a, b) => compare(b, a));
      const scanned = all.slice(0, maxScanned);
      const found = scanned.filter((it) => equals(it, wanted));
      const entries = found.slice(0, limit);
      const last =
        found.length > limit
          ? entries.at(-1)
          : scanned.length === maxScanned
            ? scanned.at(-1)
            : undefined;
      return {
        entries,
        ...(last && { next: { at: last.at, seq: last.seq } }),
      };
    },
  };
}

/** By the order of the list, oldest first. */
function compare(a: AuditPosition, b: AuditPosition): number {
  return a.at - b.at || a.seq - b.seq;
}

function sourceOf({ action, userId }: AuditEntry): string | undefined {
  return action === refusedLoginAction ? undefined : userId;
}
