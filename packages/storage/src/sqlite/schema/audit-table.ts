/** The audit log as it stands in its table. */

import type { AuditEntry } from "@carillon/core";
import { epochMs, integer, json, optional, text } from "./codec.ts";
import { defineTable, omit, type RowOf } from "./table.ts";

const shape = {
  seq: integer,
  at: epochMs,
  action: text,
  count: integer,
  userId: optional(text),
  userName: optional(text),
  domainId: optional(text),
  target: optional(text),
  details: optional(json<Readonly<Record<string, string>>>()),
  address: optional(text),
  requestId: optional(text),
};

export type AuditRow = RowOf<AuditEntry>;

export const auditEntries = defineTable("audit_entries", shape);
export const newAuditEntries = defineTable("audit_entries", omit(shape, "seq"));
