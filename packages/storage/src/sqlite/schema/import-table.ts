/** Imports as they stand in their table, and what crosses to the writer of them. */

import type {
  ImportBatch,
  ImportedDelivery,
  ImportedMessage,
  ImportProgress,
  StoredRelatedObject,
} from "@carillon/core";
import { epochMs, integer, text } from "./codec.ts";
import { actionCodes, partStateCodes, stateCodes } from "./codes.ts";
import { lastAttempts } from "./delivery-table.ts";
import { type NewMessageRow, toMessageRow } from "./message-table.ts";
import type { SQLInputValue } from "./query.ts";
import {
  type AttachmentRow,
  storedObjects,
  toAttachmentRow,
} from "./stored-message-table.ts";
import { defineTable, type RowOf } from "./table.ts";

/** Without the project and the name that it is found by. */
export const imports = defineTable("imports", {
  position: text,
  imported: integer,
  skipped: integer,
  startedAt: epochMs,
  changedAt: epochMs,
});

export type ImportRow = RowOf<ImportProgress>;

/** What is written of a delivery, behind its message and target. */
export const importedColumns = [
  "state",
  "attempts",
  "billable",
  "urgency",
  "provider",
  "sender_data",
  "next_attempt_at",
  "expires_at",
  ...lastAttempts.names,
] as const;

/** Of a message: lists, for objects cross threads with the names of members. */
export type ImportedRow = readonly [
  message: NewMessageRow,
  protocol: string,
  endpoint: string,
  delivery: readonly SQLInputValue[],
  /** Entry, external id, state. */
  part: readonly SQLInputValue[] | null,
  /** Instant, action, states, user, reason. */
  action: readonly SQLInputValue[] | null,
  objects: readonly (readonly SQLInputValue[])[],
  attachments: readonly AttachmentRow[],
];

export type ImportBatchValues = Pick<
  ImportBatch,
  "projectId" | "name" | "position" | "skipped" | "at"
> & {
  readonly after: string | null;
  readonly rows: readonly ImportedRow[];
};

/** `urgencyOf`: core's, which the thread that writes does not load. */
type UrgencyOf = (message: ImportedMessage["message"]) => number;

export function toImportValues(
  batch: ImportBatch,
  urgencyOf: UrgencyOf,
): ImportBatchValues {
  const { projectId, name, after = null, position, skipped, at } = batch;
  const rows = batch.messages.map((it) => toImportedRow(it, urgencyOf));
  return { projectId, name, after, position, skipped, at, rows };
}

function toImportedRow(
  imported: ImportedMessage,
  urgencyOf: UrgencyOf,
): ImportedRow {
  const { message, recipient, delivery, relatedObjects, attachments } =
    imported;
  const { provider = null, part, action } = delivery;
  return [
    toMessageRow(message),
    recipient.protocol,
    recipient.endpoint,
    toDeliveryRow(delivery, recipient.billable, urgencyOf(message)),
    part ? [provider, part.externalId, partStateCodes[part.state]] : null,
    action
      ? [
          action.at,
          actionCodes[action.action],
          stateCodes[action.from],
          stateCodes[action.to],
          action.userId,
          action.userName,
          action.reason ?? null,
        ]
      : null,
    relatedObjects.map((object: StoredRelatedObject) =>
      storedObjects.toRow(object),
    ),
    attachments.map(toAttachmentRow),
  ];
}

/** In the order of {@link importedColumns}. */
function toDeliveryRow(
  delivery: ImportedDelivery,
  billable: boolean,
  urgency: number,
): SQLInputValue[] {
  const { lastAttempt, senderData } = delivery;
  return [
    stateCodes[delivery.state],
    delivery.attempts,
    billable ? 1 : 0,
    urgency,
    delivery.provider ?? null,
    senderData ? JSON.stringify(senderData) : null,
    delivery.nextAttemptAt ?? null,
    delivery.expiresAt ?? null,
    ...(lastAttempt
      ? lastAttempts.toRow(lastAttempt)
      : lastAttempts.names.map(() => null)),
  ];
}
