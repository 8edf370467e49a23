/** Messages as they stand in their table, and the ways there and back. */

import type { SQLInputValue } from "node:sqlite";
import type {
  EpochMs,
  Message,
  MessageAttribute,
  MessageContent,
  MessageId,
  NewMessage,
  ProjectId,
} from "@carillon/core";
import {
  code,
  epochMs,
  integer,
  json,
  named,
  optional,
  text,
  textOf,
} from "./codec.ts";
import { audienceCodes, contentCodes } from "./codes.ts";
import { defineTable, omit, type RowOf, type ValueOf } from "./table.ts";

const shape = {
  seq: integer,
  id: textOf<MessageId>(),
  projectId: textOf<ProjectId>(),
  audience: code(audienceCodes),
  createdAt: epochMs,
  expiresAt: epochMs,
  topicSeq: optional(integer),
  topicUrn: optional(text),
  topicName: optional(text),
  topicDisplayName: optional(text),
  topicIntroduction: optional(text),
  subject: optional(text),
  attributes: optional(json<readonly MessageAttribute[]>()),
  sealedBy: optional(text),
  timeToLiveSeconds: named("time_to_live", optional(integer)),
  statusUrl: optional(text),
  contentKind: code(contentCodes),
  content: text,
};

export const messages = defineTable("messages", shape);
export const newMessages = defineTable("messages", omit(shape, "seq"));

export type MessageRow = RowOf<ValueOf<typeof shape>>;

/** Parameters of an INSERT; made by the main thread, written by the other. */
export type NewMessageRow = readonly SQLInputValue[];

export function toMessageRow(message: NewMessage): NewMessageRow {
  const { topic, content } = message;
  return newMessages.toRow({
    ...message,
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
    ...message
  } = messages.fromRow(row, from);
  return {
    ...message,
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

const topicSeqIndex = newMessages.indexOf("topicSeq");
const createdAtIndex = newMessages.indexOf("createdAt");

export function topicSeqOf(row: NewMessageRow): SQLInputValue {
  return row[topicSeqIndex] ?? null;
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
      return content.token;
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
      return { kind, token: text };
    default:
      return kind satisfies never;
  }
}
