/** Stored messages in SQLite: kept by the writer, found and listed here. */

import type {
  AcceptStoredOptions,
  Attachment,
  AttachmentInfo,
  Clock,
  DirectRecipient,
  MessageReader,
  NewMessage,
  ProjectId,
  StoredMessageStore,
  StoredPosition,
  StoredRecord,
  StoredRelatedObject,
} from "@carillon/core";
import { batchReasonOf, toEpochMs } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { audienceCodes, waitReasonCodes } from "../schema/codes.ts";
import { idempotencyKeys } from "../schema/idempotency-table.ts";
import {
  type MessageRow,
  messages,
  toMessage,
  toMessageRow,
} from "../schema/message-table.ts";
import type { SQLOutputValue } from "../schema/query.ts";
import { nextSentSql, wasSentAbout } from "../schema/sent-before.ts";
import {
  attachments,
  storedObjects,
  toAttachmentRow,
  toObjectRows,
} from "../schema/stored-message-table.ts";
import type { RowOf } from "../schema/table.ts";
import type { Wait } from "../write/message-writes.ts";
import type { RecipientColumns } from "../write/stored-message-writes.ts";
import { toWait } from "./due-at.ts";
import { listStoredKeys } from "./stored-message-walk.ts";

/** The change of its related objects, then the message. */
type StoredRow = readonly [number | null, ...SQLOutputValue[]];

export function createStoredMessageStore(
  { reader, writer }: Connections,
  { findDelivery }: Pick<MessageReader, "findDelivery">,
  clock: Clock,
): StoredMessageStore {
  /** Parameters: number, project. Index: the primary key. */
  const directMessage = reader.prepare<StoredRow>(
    `SELECT relations_changed_at, ${messages.columns()} FROM messages
     WHERE seq = ? AND project_id = ? AND audience = ${audienceCodes.direct}`,
  );
  /** Parameters: message. Index: the primary key. */
  const objectsOf = reader.prepare<RowOf<StoredRelatedObject>>(
    `SELECT ${storedObjects.columns()} FROM related_objects
     WHERE message_seq = ? ORDER BY n`,
  );
  /** Without their bytes. Parameters: message. Index: the primary key. */
  const attachmentsOf = reader.prepare<RowOf<AttachmentInfo>>(
    `SELECT ${attachments.columns()} FROM attachments
     WHERE message_seq = ? ORDER BY n`,
  );
  /** Parameters: message. Index: the primary key. */
  const contentsOf = reader.prepare<
    [content: Uint8Array<ArrayBuffer>, ...SQLOutputValue[]]
  >(
    `SELECT content, ${attachments.columns()} FROM attachments
     WHERE message_seq = ? ORDER BY n`,
  );
  const nextSent = reader.prepare<[messageSeq: number]>(nextSentSql);

  function listObjects(messageSeq: number): StoredRelatedObject[] {
    return objectsOf.all(messageSeq).map((row) => storedObjects.fromRow(row));
  }

  async function findStored(
    projectId: ProjectId,
    { messageSeq, target }: StoredPosition,
  ): Promise<StoredRecord | undefined> {
    const row = directMessage.get(messageSeq, projectId);
    const delivery = row && (await findDelivery(messageSeq, target));
    if (!delivery) return undefined;
    const [changedAt] = row;
    return {
      message: toMessage(row as MessageRow, 1),
      delivery,
      attachments: attachmentsOf
        .all(messageSeq)
        .map((it) => attachments.fromRow(it)),
      relatedObjects: listObjects(messageSeq),
      ...(changedAt !== null && { relationsChangedAt: toEpochMs(changedAt) }),
    };
  }

  return {
    async acceptStored(message, recipients, options) {
      const { attachments = [], unlessSent, key } = options;
      const accepted = await writer.run(
        "acceptStored",
        toMessageRow(message),
        toRecipientColumns(recipients),
        waitOf(message, recipients, options, clock),
        {
          objects: toObjectRows(message.relatedObjects ?? []),
          attachments: attachments.map(toAttachmentRow),
          unlessSent: unlessSent !== undefined,
          key: key ?? null,
        },
      );
      if (accepted === null) return { kind: "sent_before" };
      if (typeof accepted === "number") return { kind: "kept", seq: accepted };
      const earlier = idempotencyKeys.fromRow(accepted.earlier);
      return { kind: "repeated", earlier };
    },
    findStored,
    async listStored(projectId, channel, filter, page) {
      const { keys, next } = listStoredKeys(
        reader,
        projectId,
        channel,
        filter,
        page,
      );
      const records: StoredRecord[] = [];
      for (const key of keys) {
        const record = await findStored(projectId, key);
        if (record) records.push(record);
      }
      return { records, ...(next && { next }) };
    },
    wasSent: async (projectId, channel, slug, objects) =>
      wasSentAbout(nextSent, [projectId, slug, channel], objects),
    async changeRelatedObjects(messageSeq, { add, replace, at }) {
      await writer.run(
        "changeRelatedObjects",
        messageSeq,
        toObjectRows(add),
        replace === undefined
          ? null
          : { type: replace === true ? null : replace.type },
        at,
      );
      return listObjects(messageSeq);
    },
    readAttachments: async (messageSeq) =>
      contentsOf.all(messageSeq).map(([content, ...row]): Attachment => {
        const { size: _, ...info } = attachments.fromRow(row);
        return { ...info, content };
      }),
  };
}

/** @throws RangeError when they are of several protocols */
function toRecipientColumns(
  recipients: readonly DirectRecipient[],
): RecipientColumns {
  const [first] = recipients;
  const { protocol = "", billable = false } = first ?? {};
  // Pushed one by one: what `map` makes takes longer to another thread.
  const endpoints: string[] = [];
  for (const recipient of recipients) {
    if (recipient.protocol !== protocol) {
      throw new RangeError("A stored message is for one protocol.");
    }
    endpoints.push(recipient.endpoint);
  }
  return [protocol, billable, endpoints];
}

/** Of what waits for the batch sender: until it has expired. */
function waitOf(
  message: NewMessage,
  recipients: readonly DirectRecipient[],
  { isBatched = false }: AcceptStoredOptions,
  clock: Clock,
): Wait {
  const [recipient] = recipients;
  const due = toWait(message, clock, {
    recipients: recipients.length,
    isBatched,
  });
  if (!isBatched || recipient === undefined) return due;
  const [, urgency] = due;
  const reason = waitReasonCodes[batchReasonOf(recipient.protocol)];
  return [message.expiresAt, urgency, reason];
}
