/** What is reported of mails, in SQLite: reads, and the way to the writer. */

import {
  CarillonError,
  type EmailSuppression,
  type MailEvent,
  type MailEventStore,
  type MessageId,
  type ProjectId,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import { audienceCodes } from "../schema/codes.ts";
import { emailSuppressions, mailEvents } from "../schema/mail-event-tables.ts";
import type { RowOf } from "../schema/table.ts";

export function createMailEventStore({
  reader,
  writer,
}: Connections): MailEventStore {
  /**
   * Parameters: target, target, message id. Index: messages_id, then primary
   * keys.
   */
  const targetOf = reader.prepare<
    [messageSeq: number, projectId: ProjectId, endpoint: string | null]
  >(
    `SELECT m.seq, m.project_id, coalesce(r.endpoint, s.endpoint)
     FROM messages AS m INDEXED BY messages_id
     LEFT JOIN recipients AS r
       ON r.message_seq = m.seq AND r.target = ? AND r.protocol = 'email'
     LEFT JOIN subscriptions AS s
       ON s.seq = ? AND s.project_id = m.project_id AND s.protocol = 'email'
         AND m.audience <> ${audienceCodes.direct}
     WHERE m.id = ?`,
  );
  /** Of its last attempt. Parameters: message, target. Index: the primary key. */
  const lastPartOf = reader.prepare<[entry: string, externalId: string]>(
    `SELECT entry, external_id FROM parts
     WHERE message_seq = ? AND target = ?
     ORDER BY attempt DESC, part DESC LIMIT 1`,
  );
  /**
   * Parameters: external id. Index: parts_external_id, then primary keys. Ids are
   * the providers': two may use one.
   */
  const ofPart = reader.prepare<
    [
      messageSeq: number,
      target: number,
      entry: string,
      messageId: MessageId,
      projectId: ProjectId,
      endpoint: string,
    ]
  >(
    `SELECT p.message_seq, p.target, p.entry, m.id, m.project_id,
       coalesce(r.endpoint, s.endpoint)
     FROM parts AS p INDEXED BY parts_external_id
     CROSS JOIN messages AS m ON m.seq = p.message_seq
     LEFT JOIN recipients AS r
       ON r.message_seq = p.message_seq AND r.target = p.target
     LEFT JOIN subscriptions AS s ON r.target IS NULL AND s.seq = p.target
     WHERE p.external_id = ? AND coalesce(r.protocol, s.protocol) = 'email'
     ORDER BY p.message_seq DESC, p.target DESC, p.attempt DESC LIMIT 1`,
  );
  /** Parameters: message, target. Index: mail_events_of_delivery. */
  const eventsOf = reader.prepare<RowOf<MailEvent>>(
    `SELECT ${mailEvents.columns()}
     FROM mail_events INDEXED BY mail_events_of_delivery
     WHERE message_seq = ? AND target = ? ORDER BY seq`,
  );
  /**
   * Asked before each mail, for all that are attempted at once. Parameters: JSON
   * list of projects and keys. Index: the primary key.
   */
  const amongKeys = reader.prepare<RowOf<EmailSuppression>>(
    `SELECT ${emailSuppressions.columns("e")} FROM json_each(?) AS k
     CROSS JOIN email_suppressions AS e
       ON e.project_id = k.value ->> 0 AND e.key = k.value ->> 1`,
  );
  /** Parameters: project, after key, limit. Index: the primary key. */
  const page = reader.prepare<RowOf<EmailSuppression>>(
    `SELECT ${emailSuppressions.columns()} FROM email_suppressions
     WHERE project_id = ? AND key > ? ORDER BY key LIMIT ?`,
  );

  return {
    async findMailTarget(messageId, target) {
      const [messageSeq, projectId, endpoint] =
        targetOf.get(target, target, messageId) ?? [];
      if (
        messageSeq === undefined ||
        projectId === undefined ||
        endpoint === null ||
        endpoint === undefined
      ) {
        return undefined;
      }
      const [entry, externalId] = lastPartOf.get(messageSeq, target) ?? [];
      return {
        messageSeq,
        projectId,
        endpoint,
        ...(entry !== undefined &&
          externalId !== undefined && { part: { entry, externalId } }),
      };
    },
    async findMailOfPart(externalId) {
      const row = ofPart.get(externalId);
      if (!row) return undefined;
      const [messageSeq, target, entry, messageId, projectId, endpoint] = row;
      return { messageSeq, target, entry, messageId, projectId, endpoint };
    },
    recordMailEvent: (event, suppression) =>
      writer.run("recordMailEvent", event, suppression),
    async listMailEvents(messageSeq, target) {
      return eventsOf
        .all(messageSeq, target)
        .map((row) => mailEvents.fromRow(row));
    },
    async findEmailSuppressions(keys) {
      if (keys.length === 0) return [];
      const pairs = keys.map(({ projectId, key }) => [projectId, key]);
      return amongKeys
        .all(JSON.stringify(pairs))
        .map((row) => emailSuppressions.fromRow(row));
    },
    async addEmailSuppression(suppression) {
      const added = await writer.run("addEmailSuppression", suppression);
      if (added === "PROJECT_DELETED") throw new CarillonError(added);
      return added;
    },
    removeEmailSuppression: (projectId, key) =>
      writer.run("removeEmailSuppression", projectId, key),
    async listEmailSuppressions(projectId, { limit, after = "" }) {
      return page
        .all(projectId, after, limit)
        .map((row) => emailSuppressions.fromRow(row));
    },
  };
}
