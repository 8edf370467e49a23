/** Imported messages of the in-memory store, and how far imports have got. */

import type {
  ImportBatch,
  ImportedMessage,
  ImportResult,
  MessageImportStore,
} from "@carillon/core";
import { urgencyOf } from "@carillon/core";
import { addMessage } from "./ledger.ts";
import { deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createImportStore(tables: Tables): MessageImportStore {
  const { imports, write } = tables;
  return {
    async findImport(projectId, name) {
      return imports.get(importKey({ projectId, name }));
    },
    importMessages: (batch) =>
      write((): ImportResult => {
        const key = importKey(batch);
        const before = imports.get(key);
        if (before?.position !== batch.after) {
          return { kind: "conflict", progress: before };
        }
        for (const imported of batch.messages) add(tables, imported);
        const { position, messages, at } = batch;
        const { imported = 0, skipped = 0, startedAt = at } = before ?? {};
        const progress = imports.put(key, {
          position,
          imported: imported + messages.length,
          skipped: skipped + batch.skipped,
          startedAt,
          changedAt: at,
        });
        return { kind: "kept", progress };
      }),
  };
}

function add(
  tables: Tables,
  {
    message,
    recipient,
    delivery,
    relatedObjects,
    attachments,
  }: ImportedMessage,
): void {
  const seq = addMessage(tables, {
    ...message,
    ...(relatedObjects.length > 0 && {
      relatedObjects: relatedObjects.map(({ type, id }) => ({ type, id })),
    }),
  });
  if (relatedObjects.length > 0) {
    tables.relations.put(seq, { objects: relatedObjects });
  }
  if (attachments.length > 0)
    tables.attachments.put(seq, { files: attachments });
  const { protocol, endpoint, billable } = recipient;
  const key = deliveryKey({ messageSeq: seq, target: 0 });
  tables.recipients.put(key, { protocol, endpoint });
  const { part, action, provider, attempts, ...known } = delivery;
  tables.deliveries.putUntold(key, {
    ...known,
    messageSeq: seq,
    target: 0,
    attempts,
    billable,
    urgency: urgencyOf(message),
    ...(provider !== undefined && { provider }),
    fence: 0,
    earlierAttempts: [],
    parts:
      part && provider !== undefined
        ? [{ attempt: attempts, entry: provider, ...part }]
        : [],
    receipts: [],
    actions: action ? [action] : [],
  });
}

function importKey({
  projectId,
  name,
}: Pick<ImportBatch, "projectId" | "name">): string {
  return `${projectId} ${name}`;
}
