/** Idempotency keys as they stand in their table. */

import type { IdempotencyKey, MessageId, ProjectId } from "@carillon/core";
import { epochMs, text, textOf } from "./codec.ts";
import { defineTable, type RowOf } from "./table.ts";

export type IdempotencyKeyRow = RowOf<IdempotencyKey>;

export const idempotencyKeys = defineTable("idempotency_keys", {
  projectId: textOf<ProjectId>(),
  key: text,
  fingerprint: text,
  requestId: text,
  messageId: textOf<MessageId>(),
  expiresAt: epochMs,
});
