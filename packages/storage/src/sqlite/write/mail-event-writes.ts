/** Writes of what is reported of mails, and of who gets none. */

import type { DatabaseSync } from "node:sqlite";
import type {
  EmailSuppression,
  MailEventStore,
  NewMailEvent,
  RecordedMailEvent,
} from "@carillon/core";
import {
  enoughMailEvents,
  isFinal,
  mergeSuppression,
  receiptEventOf,
  receiptTextOf,
  suppressionReasonOf,
} from "@carillon/core/rules";
import { mailEventCodes, stateOf } from "../schema/codes.ts";
import {
  emailSuppressions,
  newMailEvents,
} from "../schema/mail-event-tables.ts";
import { prepareQuery } from "../schema/query.ts";
import type { RowOf } from "../schema/table.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { createDeletedProjectCheck } from "./deleted-projects.ts";
import { createReceiptWrites } from "./receipt-writes.ts";

/** More of them than this put nobody on the list sooner. */
const mostSoftBounces = 1000;

export function createMailEventWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
) {
  /**
   * Parameters: message, target. Index: mail_events_of_delivery; of a delivery
   * there are few.
   */
  const kept = prepareQuery<
    [event: number, hard: number | null, fingerprint: string]
  >(
    db,
    `SELECT event, hard, fingerprint
     FROM mail_events INDEXED BY mail_events_of_delivery
     WHERE message_seq = ? AND target = ?
     LIMIT ${enoughMailEvents + 2 * Object.keys(mailEventCodes).length}`,
  );
  const insert = db.prepare(newMailEvents.insert);
  /** Parameters: project, key, since, limit. Index: mail_events_soft. */
  const softBounces = prepareQuery<[count: number]>(
    db,
    `SELECT count(*) FROM (
       SELECT 1 FROM mail_events INDEXED BY mail_events_soft
       WHERE project_id = ? AND suppression_key = ? AND received_at > ?
         AND event = ${mailEventCodes.bounced} AND hard IS NOT 1 LIMIT ?)`,
  );
  /** Parameters: message, target. Index: the primary key. */
  const stateOfDelivery = prepareQuery<[state: number]>(
    db,
    "SELECT state FROM deliveries WHERE message_seq = ? AND target = ?",
  );
  /** Parameters: external id, entry. Index: parts_external_id. */
  const hasPart = prepareQuery<[found: number]>(
    db,
    `SELECT 1 FROM parts INDEXED BY parts_external_id
     WHERE external_id = ? AND entry = ? LIMIT 1`,
  );
  /** Parameters: project, key. Index: the primary key. */
  const suppressionOf = prepareQuery<RowOf<EmailSuppression>>(
    db,
    `SELECT ${emailSuppressions.columns()} FROM email_suppressions
     WHERE project_id = ? AND key = ?`,
  );
  const putSuppression = db.prepare(
    emailSuppressions.replace("projectId", "key"),
  );
  /** Index: the primary key. */
  const remove = db.prepare(
    "DELETE FROM email_suppressions WHERE project_id = ? AND key = ?",
  );
  const { recordReceipt } = createReceiptWrites(db, journal);
  const isDeletedProject = createDeletedProjectCheck(db);

  function isKept({ messageSeq, target, ...event }: NewMailEvent): boolean {
    const rows = kept.all(messageSeq, target);
    if (rows.some(([, , fingerprint]) => fingerprint === event.fingerprint)) {
      return true;
    }
    return (
      rows.length >= enoughMailEvents &&
      rows.some(
        ([code, hard]) =>
          code === mailEventCodes[event.event] &&
          (hard === 1) === (event.hard === true),
      )
    );
  }

  /** Whether there is, or will be, a part that a receipt can name. */
  function takesReceipts({
    messageSeq,
    target,
    entry,
    externalId,
  }: NewMailEvent): boolean {
    const [state] = stateOfDelivery.get(messageSeq, target) ?? [];
    if (state === undefined || !isFinal(stateOf(state))) return true;
    return hasPart.get(externalId, entry) !== undefined;
  }

  function suppressAddress(
    suppression: Omit<EmailSuppression, "count">,
  ): EmailSuppression {
    const { projectId, key } = suppression;
    const row = suppressionOf.get(projectId, key);
    const known = row && emailSuppressions.fromRow(row);
    const merged = mergeSuppression(known, suppression);
    putSuppression.run(...emailSuppressions.toRow(merged));
    return merged;
  }

  return {
    recordMailEvent(
      event: NewMailEvent,
      {
        address,
        deliveryId,
        softBounces: limit,
      }: Parameters<MailEventStore["recordMailEvent"]>[1],
    ): RecordedMailEvent {
      if (isKept(event)) return { isNew: false };
      insert.run(...newMailEvents.toRow(event));
      const { projectId, suppressionKey: key, receivedAt, code } = event;
      const detail = receiptTextOf(event);
      if (takesReceipts(event)) {
        recordReceipt({
          entry: event.entry,
          externalId: event.externalId,
          event: receiptEventOf(event),
          at: receivedAt,
          ...(code !== undefined && { code }),
          text: detail,
        });
      }
      const [soft = 0] =
        limit.count > 0
          ? (softBounces.get(
              projectId,
              key,
              receivedAt - limit.windowMs,
              Math.min(limit.count, mostSoftBounces),
            ) ?? [])
          : [];
      const reason = suppressionReasonOf(event, soft, limit);
      // The list of a deleted project is gone.
      if (reason === undefined || isDeletedProject(projectId)) {
        return { isNew: true };
      }
      const { reason: suppressed } = suppressAddress({
        projectId,
        key,
        address,
        reason,
        detail,
        at: receivedAt,
        deliveryId,
      });
      return { isNew: true, suppressed };
    },
    addEmailSuppression: (
      suppression: Omit<EmailSuppression, "count">,
    ): EmailSuppression | "PROJECT_DELETED" =>
      isDeletedProject(suppression.projectId)
        ? "PROJECT_DELETED"
        : suppressAddress(suppression),
    removeEmailSuppression(projectId: string, key: string): boolean {
      return remove.run(projectId, key).changes > 0;
    },
  };
}
