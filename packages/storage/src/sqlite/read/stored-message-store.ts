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
  RelatedObject,
  StoredMessageStore,
  StoredRecord,
  StoredRelatedObject,
} from "@carillon/core";
import { batchReasonOf, toEpochMs } from "@carillon/core";
import type { Connections } from "../connections.ts";
import { audienceCodes, waitReasonCodes } from "../schema/codes.ts";
import { idempotencyKeys } from "../schema/idempotency-table.ts";
import {
  cutMessages,
  type MessageRow,
  messages,
  toMessage,
  toMessageRow,
} from "../schema/message-table.ts";
import type { SQLOutputValue } from "../schema/query.ts";
import {
  prepareSentQueries,
  searchSent,
  type TemplateKey,
} from "../schema/sent-before.ts";
import {
  attachments,
  storedObjects,
  toAttachmentRow,
  toObjectRows,
} from "../schema/stored-message-table.ts";
import type { RowOf, Table } from "../schema/table.ts";
import type { Wait } from "../write/message-writes.ts";
import type { RecipientColumns } from "../write/stored-message-writes.ts";
import { toWait } from "./due-at.ts";
import { listStoredKeys } from "./stored-message-walk.ts";

/** The change of its related objects, then the message. */
type StoredRow = readonly [number | null, ...SQLOutputValue[]];

/** A row of a message's own, behind the message's number. */
type MessagePart<Value> = readonly [seq: number, ...SQLOutputValue[]] & {
  // Never there: it keeps rows of different tables apart.
  readonly partOf?: Value;
};

/** The bytes, then what is told of them. */
type ContentRow = readonly [
  content: Uint8Array<ArrayBuffer>,
  ...SQLOutputValue[],
];

/** Messages, of up to a megabyte, that are read in one turn of the event loop. */
const messagesPerTurn = 2;

/** Each is a few looks at indexes. */
const deliveriesPerTurn = 64;

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
  /** Parameters: characters, number, project. Index: the primary key. */
  const cutMessage = reader.prepare<StoredRow>(
    `SELECT relations_changed_at, ${cutMessages.columns()} FROM messages
     WHERE seq = ?2 AND project_id = ?3 AND audience = ${audienceCodes.direct}`,
  );
  /** Parameter: JSON list of messages. Index: the primary key. */
  const objectsOf = reader.prepare<MessagePart<StoredRelatedObject>>(
    `SELECT o.message_seq, ${storedObjects.columns("o")} FROM json_each(?) AS k
     CROSS JOIN related_objects AS o ON o.message_seq = k.value
     ORDER BY k.key, o.n`,
  );
  /** Without their bytes. Parameter: JSON list of messages. Index: the same. */
  const attachmentsOf = reader.prepare<MessagePart<AttachmentInfo>>(
    `SELECT a.message_seq, ${attachments.columns("a")} FROM json_each(?) AS k
     CROSS JOIN attachments AS a ON a.message_seq = k.value
     ORDER BY k.key, a.n`,
  );
  /** Parameters: message. Index: the primary key. */
  const contentsOf = reader.prepare<ContentRow>(
    `SELECT content, ${attachments.columns()} FROM attachments
     WHERE message_seq = ? ORDER BY n`,
  );
  /** Parameters: message, place. Index: the primary key. */
  const contentAt = reader.prepare<ContentRow>(
    `SELECT content, ${attachments.columns()} FROM attachments
     WHERE message_seq = ? AND n = ?`,
  );
  const sentQueries = prepareSentQueries((sql) => reader.prepare(sql));

  function listObjects(
    seqs: readonly number[],
  ): ReadonlyMap<number, readonly StoredRelatedObject[]> {
    return groupParts(objectsOf.all(JSON.stringify(seqs)), storedObjects);
  }

  /** What messages of a project have in common for all their recipients. */
  async function readMessages(
    projectId: ProjectId,
    seqs: readonly number[],
    excerptLength?: number,
  ): Promise<ReadonlyMap<number, Omit<StoredRecord, "delivery">>> {
    const objects = listObjects(seqs);
    const files = groupParts(
      attachmentsOf.all(JSON.stringify(seqs)),
      attachments,
    );
    const found = new Map<number, Omit<StoredRecord, "delivery">>();
    for (const [n, seq] of seqs.entries()) {
      if (n % messagesPerTurn === messagesPerTurn - 1) await clock.nextTurn();
      const row =
        excerptLength === undefined
          ? directMessage.get(seq, projectId)
          : cutMessage.get(excerptLength, seq, projectId);
      if (!row) continue;
      const [changedAt] = row;
      found.set(seq, {
        message: toMessage(row as MessageRow, 1),
        attachments: files.get(seq) ?? [],
        relatedObjects: objects.get(seq) ?? [],
        ...(changedAt !== null && { relationsChangedAt: toEpochMs(changedAt) }),
      });
    }
    return found;
  }

  /** `from`: no message before is, the one that was found neither. */
  async function search(
    template: TemplateKey,
    objects: readonly RelatedObject[],
    begin = 0,
  ): Promise<{ readonly wasSent: boolean; readonly from: number }> {
    const rounds = searchSent(sentQueries, template, objects, begin);
    for (let from = begin; ; ) {
      const { done, value } = rounds.next();
      if (done) return { wasSent: value, from };
      from = value;
      await clock.nextTurn();
    }
  }

  return {
    async acceptStored(message, recipients, options) {
      const { attachments = [], unlessSent, key } = options;
      const { projectId, templateSlug = "", relatedObjects = [] } = message;
      const columns = toRecipientColumns(recipients);
      const [channel] = columns;
      for (let unlessSentFrom = unlessSent ? 0 : null; ; ) {
        const accepted = await writer.run(
          "acceptStored",
          toMessageRow(message),
          columns,
          waitOf(message, recipients, options, clock),
          {
            objects: toObjectRows(relatedObjects),
            attachments: attachments.map(toAttachmentRow),
            unlessSentFrom,
            key: key ?? null,
          },
        );
        if (accepted === null) return { kind: "sent_before" };
        if (typeof accepted === "number")
          return { kind: "kept", seq: accepted };
        if ("earlier" in accepted) {
          const earlier = idempotencyKeys.fromRow(accepted.earlier);
          return { kind: "repeated", earlier };
        }
        // What was found, or came since, is for the transaction to say: by then
        // the request may be one that was repeated.
        const template = [projectId, templateSlug, channel] as const;
        const found = await search(
          template,
          relatedObjects,
          accepted.searchFrom,
        );
        unlessSentFrom = found.from;
      }
    },
    async findStored(projectId, { messageSeq, target }) {
      const delivery = await findDelivery(messageSeq, target);
      if (!delivery) return undefined;
      const found = await readMessages(projectId, [messageSeq]);
      const message = found.get(messageSeq);
      return message && { ...message, delivery };
    },
    async listStored(projectId, channel, filter, page) {
      const { excerptLength } = page;
      const { keys, ...next } = await listStoredKeys(
        reader,
        clock,
        projectId,
        channel,
        filter,
        page,
      );
      const seqs = [...new Set(keys.map(({ messageSeq }) => messageSeq))];
      const found = await readMessages(projectId, seqs, excerptLength);
      const records: StoredRecord[] = [];
      for (const [n, { messageSeq, target }] of keys.entries()) {
        if (n % deliveriesPerTurn === deliveriesPerTurn - 1) {
          await clock.nextTurn();
        }
        const message = found.get(messageSeq);
        const delivery = message && (await findDelivery(messageSeq, target));
        if (delivery) records.push({ ...message, delivery });
      }
      return { records, ...next };
    },
    async wasSent(projectId, channel, slug, objects) {
      const template = [projectId, slug, channel] as const;
      return (await search(template, objects)).wasSent;
    },
    async changeRelatedObjects(messageSeq, { add, replace, most, at }) {
      const surplus = await writer.run(
        "changeRelatedObjects",
        messageSeq,
        toObjectRows(add),
        replace === undefined
          ? null
          : { type: replace === true ? null : replace.type },
        most,
        at,
      );
      if (surplus !== null) return { kind: "too_many", count: surplus };
      const relatedObjects = listObjects([messageSeq]).get(messageSeq) ?? [];
      return { kind: "changed", relatedObjects };
    },
    readAttachments: async (messageSeq) =>
      contentsOf.all(messageSeq).map(toAttachment),
    async readAttachment(messageSeq, place) {
      const row = contentAt.get(messageSeq, place);
      return row && toAttachment(row);
    },
  };
}

function toAttachment([content, ...row]: ContentRow): Attachment {
  const { size: _, ...info } = attachments.fromRow(row);
  return { ...info, content };
}

function groupParts<Value>(
  rows: readonly MessagePart<Value>[],
  table: Table<Value>,
): ReadonlyMap<number, readonly Value[]> {
  const grouped = new Map<number, Value[]>();
  for (const row of rows) {
    const [seq] = row;
    const value = table.fromRow(row as RowOf<Value>, 1);
    const known = grouped.get(seq);
    if (known) known.push(value);
    else grouped.set(seq, [value]);
  }
  return grouped;
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
