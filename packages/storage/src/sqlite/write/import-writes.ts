/** Writes messages that another program sent, with how far their import is. */

import type { DatabaseSync } from "node:sqlite";
import { checkFits } from "../schema/codec.ts";
import {
  type ImportBatchValues,
  type ImportedRow,
  type ImportRow,
  importedColumns,
  imports,
} from "../schema/import-table.ts";
import { projectIdOf, templateSlugOf } from "../schema/message-table.ts";
import { prepareQuery } from "../schema/query.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { CountChanges } from "./message-counts.ts";
import { createMessageInsert } from "./message-writes.ts";

/** The only recipient of each. */
const target = 0;

export function createImportWrites(db: DatabaseSync, journal: ChangeJournal) {
  const insertMessage = createMessageInsert(db);
  /** Parameters: message, target, protocol, endpoint, project. */
  const insertRecipient = db.prepare(
    `INSERT INTO recipients (message_seq, target, protocol, endpoint, project_id)
     VALUES (?, ?, ?, ?, ?)`,
  );
  /** Parameters: message, target, project, then the columns. */
  const insertDelivery = db.prepare(
    `INSERT INTO deliveries (message_seq, target, project_id,
       ${importedColumns.join(", ")})
     VALUES (?, ?, ?${", ?".repeat(importedColumns.length)})`,
  );
  /** Parameters: message, target, attempt, entry, external id, state. */
  const insertPart = db.prepare(
    `INSERT INTO parts
       (message_seq, target, attempt, part, entry, external_id, state)
     VALUES (?, ?, ?, 0, ?, ?, ?)`,
  );
  /** Parameters: message, target, then what was done. */
  const insertAction = db.prepare(
    `INSERT INTO delivery_actions (message_seq, target, n, at, action,
       from_state, to_state, user_id, user_name, reason)
     VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
  );
  /** Parameters: message, place, project, slug, channel, then the object. */
  const insertObject = db.prepare(
    `INSERT INTO related_objects (message_seq, n, project_id, template_slug,
       template_channel, type, id, created_at, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  /** Parameters: message, place, then the file. */
  const insertAttachment = db.prepare(
    `INSERT INTO attachments (message_seq, n, name, content_type, content_id,
       size, content)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  /** Parameters: project, name. Index: the primary key. */
  const find = prepareQuery<ImportRow>(
    db,
    `SELECT ${imports.columns()} FROM imports
     WHERE project_id = ? AND name = ?`,
  );
  /** Parameters: project, name, position, imported, skipped, now (twice). */
  const put = db.prepare(
    `INSERT INTO imports (project_id, name, position, imported, skipped,
       started_at, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (project_id, name) DO UPDATE SET position = excluded.position,
       imported = imported + excluded.imported,
       skipped = skipped + excluded.skipped, changed_at = excluded.changed_at`,
  );
  const positionAt = imports.indexOf("position");

  function add(row: ImportedRow, changes: CountChanges): void {
    const [message, protocol, endpoint, delivery, part, action] = row;
    const [, , , , , , objects, attachments] = row;
    const seq = insertMessage(message);
    const projectId = projectIdOf(message);
    insertRecipient.run(seq, target, protocol, endpoint, projectId);
    for (const [n, value] of delivery.entries()) {
      const name = importedColumns[n] ?? "";
      checkFits(value, textColumns.has(name), `deliveries.${name}`);
    }
    insertDelivery.run(seq, target, projectId, ...delivery);
    // The first two columns are numbers.
    const [state, attempts = null] = delivery;
    changes.addUntold(seq, state as number);
    if (part) insertPart.run(seq, target, attempts, ...part);
    if (action) insertAction.run(seq, target, ...action);
    const slug = templateSlugOf(message);
    const channel = slug === null ? null : protocol;
    for (const [n, object] of objects.entries()) {
      insertObject.run(seq, n, projectId, slug, channel, ...object);
    }
    for (const [n, attachment] of attachments.entries()) {
      insertAttachment.run(seq, n, ...attachment);
    }
  }

  return {
    /** Answers how far it is now; `isKept`: with this batch. */
    importMessages(batch: ImportBatchValues): {
      readonly isKept: boolean;
      readonly progress: ImportRow | null;
    } {
      const { projectId, name, after, position, rows, skipped, at } = batch;
      const before = find.get(projectId, name);
      // No two look at once: this thread is the only one that writes.
      if ((before?.[positionAt] ?? null) !== after) {
        return { isKept: false, progress: before ?? null };
      }
      const changes = new CountChanges();
      for (const row of rows) add(row, changes);
      journal.addCounts(changes, at);
      put.run(projectId, name, position, rows.length, skipped, at, at);
      return { isKept: true, progress: find.get(projectId, name) ?? null };
    },
  };
}

const textColumns: ReadonlySet<string> = new Set([
  "provider",
  "sender_data",
  "last_error",
  "last_provider",
]);
