/** Messages as they stand in their table, and the ways there and back. */

import type { SQLInputValue } from "node:sqlite";
import type {
  EpochMs,
  Message,
  MessageAttribute,
  MessageContent,
  MessageId,
  MessageTopic,
  NewMessage,
  ProjectId,
  RelatedObject,
  TimeToLive,
} from "@carillon/core";
import {
  code,
  computed,
  epochMs,
  integer,
  json,
  named,
  type OptionalCodec,
  optional,
  text,
  textOf,
} from "./codec.ts";
import { audienceCodes, contentCodes, messageClassCodes } from "./codes.ts";
import { defineTable, omit, pick, type RowOf, type ValueOf } from "./table.ts";

/** What stands in one column: neither searched nor deciding when it goes. */
type Details = Pick<
  Message,
  | "sms"
  | "email"
  | "attachmentBytes"
  | "priority"
  | "retries"
  | "extraData"
  | "timeToLiveSeconds"
  | "orderingKey"
>;

/** One number for all protocols; by protocol it is among the details. */
const timeToLive: OptionalCodec<TimeToLive> = {
  isOptional: true,
  encode: (value) => (typeof value === "number" ? value : null),
  decode: (value) => (value === null ? undefined : (value as number)),
};

const shape = {
  seq: integer,
  id: textOf<MessageId>(),
  projectId: textOf<ProjectId>(),
  audience: code(audienceCodes),
  createdAt: epochMs,
  notBefore: optional(epochMs),
  expiresAt: epochMs,
  topicSeq: optional(integer),
  topicUrn: optional(text),
  topicName: optional(text),
  topicDisplayName: optional(text),
  topicIntroduction: optional(text),
  subject: optional(text),
  attributes: optional(json<readonly MessageAttribute[]>()),
  sealedBy: optional(text),
  timeToLiveSeconds: named("time_to_live", timeToLive),
  class: optional(code(messageClassCodes)),
  tag: optional(text),
  templateSlug: optional(text),
  details: optional(json<Details>()),
  statusUrl: optional(text),
  contentKind: code(contentCodes),
  content: text,
};

/** What decides how long a message's deliveries go on. */
export const messageLife = pick(
  shape,
  "createdAt",
  "notBefore",
  "expiresAt",
  "timeToLiveSeconds",
  "class",
  "details",
);

export function toMessageLife({
  details: { timeToLiveSeconds } = {},
  ...life
}: ValueOf<typeof messageLife>) {
  // By protocol it is among the details.
  return { ...life, ...(timeToLiveSeconds && { timeToLiveSeconds }) };
}

/** Rows of a table of their own; index: its primary key. */
const relatedObjects = computed(
  `(SELECT json_group_array(json_object('type', o.type, 'id', o.id)
      ORDER BY o.n)
    FROM related_objects AS o WHERE o.message_seq = messages.seq
    HAVING count(*) > 0)`,
  optional(json<readonly RelatedObject[]>()),
);

/** Looked for only where there are any; index: the primary key. */
const topics = computed(
  `CASE messages.audience WHEN ${audienceCodes.topics} THEN
    (SELECT json_group_array(json_object('seq', t.topic_seq, 'urn', t.urn,
       'name', t.name, 'displayName', t.display_name,
       'introduction', t.introduction) ORDER BY t.position)
     FROM message_topics AS t WHERE t.message_seq = messages.seq) END`,
  optional(json<readonly MessageTopic[]>()),
);

const kept = { ...shape, relatedObjects, topics };

export const messages = defineTable("messages", kept);
export const newMessages = defineTable("messages", omit(shape, "seq"));

/**
 * The same with no more than so many characters of a text, or of a mail's
 * plain-text part, and none of its HTML: what is long does not become a row. What
 * is in variants, or sealed, stays whole. The parameter of the columns, before
 * all others: how many.
 */
export const cutMessages = defineTable("messages", {
  ...kept,
  content: computed(
    `CASE
      WHEN messages.sealed_by IS NOT NULL THEN messages.content
      WHEN messages.content_kind = ${contentCodes.mail} THEN
        json_object('text',
          substr(json_extract(messages.content, '$.text'), 1, ?1),
          'html', '')
      WHEN messages.content_kind IN (${contentCodes.text}, ${contentCodes.event})
        THEN substr(messages.content, 1, ?1)
      ELSE messages.content END`,
    text,
  ),
});

export type MessageRow = RowOf<ValueOf<typeof kept>>;

/** Parameters of an INSERT; made by the main thread, written by the other. */
export type NewMessageRow = readonly SQLInputValue[];

/**
 * What stands in tables of its own; `null` when there is none, as nearly always.
 */
export type MessageParts = {
  readonly objects: readonly (readonly [type: string, id: string])[];
  /** Of a message to several topics. */
  readonly topics: readonly MessageTopic[];
} | null;

export function toMessageParts({
  relatedObjects,
  topics,
}: NewMessage): MessageParts {
  if (relatedObjects === undefined && topics === undefined) return null;
  return {
    objects: relatedObjects?.map(({ type, id }) => [type, id] as const) ?? [],
    topics: topics ?? [],
  };
}

export function toMessageRow(message: NewMessage): NewMessageRow {
  const { topic, content } = message;
  const details = detailsOf(message);
  return newMessages.toRow({
    ...message,
    ...(details && { details }),
    ...(topic && {
      topicSeq: topic.seq,
      topicUrn: topic.urn,
      topicName: topic.name,
      topicDisplayName: topic.displayName,
      topicIntroduction: topic.introduction,
    }),
    contentKind: content.kind,
    content: contentText(content),
  });
}

/** `from`: where the message's columns begin in the row. */
export function toMessage(row: MessageRow, from = 0): Message {
  const {
    topicSeq,
    topicUrn = "",
    topicName = "",
    topicDisplayName = "",
    topicIntroduction = "",
    contentKind,
    content,
    details,
    ...message
  } = messages.fromRow(row, from);
  return {
    ...message,
    ...details,
    ...(topicSeq !== undefined && {
      topic: {
        seq: topicSeq,
        urn: topicUrn,
        name: topicName,
        displayName: topicDisplayName,
        introduction: topicIntroduction,
      },
    }),
    content: toContent(contentKind, content),
  };
}

/** `undefined` when there is nothing of it, as nearly always. */
function detailsOf(message: NewMessage): Details | undefined {
  const { sms, email, attachmentBytes, priority, retries } = message;
  const { extraData, timeToLiveSeconds, orderingKey } = message;
  const lives = typeof timeToLiveSeconds === "object" && timeToLiveSeconds;
  const isEmpty =
    sms === undefined &&
    email === undefined &&
    attachmentBytes === undefined &&
    priority === undefined &&
    retries === undefined &&
    extraData === undefined &&
    orderingKey === undefined &&
    !lives;
  if (isEmpty) return undefined;
  return {
    ...(sms !== undefined && { sms }),
    ...(email !== undefined && { email }),
    ...(attachmentBytes !== undefined && { attachmentBytes }),
    ...(priority !== undefined && { priority }),
    ...(retries !== undefined && { retries }),
    ...(extraData !== undefined && { extraData }),
    ...(orderingKey !== undefined && { orderingKey }),
    ...(lives && { timeToLiveSeconds: lives }),
  };
}

const topicSeqIndex = newMessages.indexOf("topicSeq");
const projectIdIndex = newMessages.indexOf("projectId");
const statusUrlIndex = newMessages.indexOf("statusUrl");
const templateSlugIndex = newMessages.indexOf("templateSlug");
const createdAtIndex = newMessages.indexOf("createdAt");
const contentKindIndex = newMessages.indexOf("contentKind");
const detailsIndex = newMessages.indexOf("details");

export function topicSeqOf(row: NewMessageRow): SQLInputValue {
  return row[topicSeqIndex] ?? null;
}

export function projectIdOf(row: NewMessageRow): SQLInputValue {
  return row[projectIdIndex] ?? null;
}

export function templateSlugOf(row: NewMessageRow): SQLInputValue {
  return row[templateSlugIndex] ?? null;
}

/** What orders it among its project's messages; `null`: nothing, as mostly. */
export function orderingOf(row: NewMessageRow): string | null {
  const details = row[detailsIndex];
  if (typeof details !== "string") return null;
  // The codec of details wrote it.
  const { orderingKey } = JSON.parse(details) as Details;
  return orderingKey === undefined
    ? null
    : `${projectIdOf(row)} ${orderingKey}`;
}

export function hasStatusUrl(row: NewMessageRow): boolean {
  return row[statusUrlIndex] !== null;
}

/** Whether it is what its publisher said, and no notice or event of ours. */
export function isPublished(row: NewMessageRow): boolean {
  const { text, structure, mail } = contentCodes;
  const kind = row[contentKindIndex];
  return kind === text || kind === structure || kind === mail;
}

export function createdAtOf(row: NewMessageRow): EpochMs {
  // The codec of instants gives numbers.
  return row[createdAtIndex] as EpochMs;
}

function contentText(content: MessageContent): string {
  switch (content.kind) {
    case "text":
    case "event":
      return content.text;
    case "structure":
      return JSON.stringify(content.variants);
    case "confirmation":
    case "unsubscription":
    case "mail": {
      const { kind: _, ...rest } = content;
      return JSON.stringify(rest);
    }
    default:
      return content satisfies never;
  }
}

function toContent(kind: MessageContent["kind"], text: string): MessageContent {
  switch (kind) {
    case "text":
    case "event":
      return { kind, text };
    case "structure":
      // Only contentText writes this column.
      return { kind, variants: JSON.parse(text) as Record<string, string> };
    case "confirmation":
    case "unsubscription":
    case "mail":
      return { kind, ...JSON.parse(text) };
    default:
      return kind satisfies never;
  }
}
