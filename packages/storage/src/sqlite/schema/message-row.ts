/** A message as it stands in its table, and the ways there and back. */

import type {
  Message,
  MessageAttribute,
  MessageContent,
  MessageId,
  MessageTopic,
  NewMessage,
  ProjectId,
} from "@carillon/core";
import { toEpochMs } from "@carillon/core/rules";
import type { NewMessageValues } from "../write/message-writes.ts";
import { audienceCodes, audienceOf, contentCodes } from "./codes.ts";
import { orNull } from "./query.ts";

/** Columns of {@link MessageRow}. */
export const messageColumns = `messages.seq, messages.id, messages.project_id,
  messages.audience, messages.created_at, messages.expires_at,
  messages.topic_seq, messages.topic_urn, messages.topic_name,
  messages.topic_display_name, messages.topic_introduction, messages.subject,
  messages.attributes, messages.sealed_by, messages.time_to_live,
  messages.content_kind, messages.content`;

export type MessageRow = readonly [seq: number, ...NewMessageValues];

export function toMessageValues(message: NewMessage): NewMessageValues {
  const { topic, attributes, content } = message;
  return [
    message.id,
    message.projectId,
    audienceCodes[message.audience],
    message.createdAt,
    message.expiresAt,
    orNull(topic?.seq),
    orNull(topic?.urn),
    orNull(topic?.name),
    orNull(topic?.displayName),
    orNull(topic?.introduction),
    orNull(message.subject),
    attributes ? JSON.stringify(attributes) : null,
    orNull(message.sealedBy),
    orNull(message.timeToLiveSeconds),
    contentCodes[content.kind],
    contentText(content),
  ];
}

export function toMessage(row: MessageRow): Message {
  const [
    seq,
    id,
    projectId,
    audience,
    createdAt,
    expiresAt,
    topicSeq,
    urn,
    name,
    displayName,
    introduction,
    subject,
    attributes,
    sealedBy,
    timeToLiveSeconds,
    kind,
    content,
  ] = row;
  const topic: MessageTopic | undefined =
    topicSeq === null
      ? undefined
      : {
          seq: topicSeq,
          urn: urn ?? "",
          name: name ?? "",
          displayName: displayName ?? "",
          introduction: introduction ?? "",
        };
  return {
    seq,
    id: id as MessageId,
    projectId: projectId as ProjectId,
    audience: audienceOf(audience),
    ...(topic && { topic }),
    ...(subject !== null && { subject }),
    content: toContent(kind, content),
    ...(sealedBy !== null && { sealedBy }),
    ...(attributes !== null && {
      // Only toMessageValues writes this column.
      attributes: JSON.parse(attributes) as MessageAttribute[],
    }),
    createdAt: toEpochMs(createdAt),
    expiresAt: toEpochMs(expiresAt),
    ...(timeToLiveSeconds !== null && { timeToLiveSeconds }),
  };
}

function contentText(content: MessageContent): string {
  switch (content.kind) {
    case "text":
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

function toContent(kind: number, text: string): MessageContent {
  switch (kind) {
    case contentCodes.text:
      return { kind: "text", text };
    case contentCodes.structure:
      // Only contentText writes this column.
      return {
        kind: "structure",
        variants: JSON.parse(text) as Record<string, string>,
      };
    case contentCodes.confirmation:
      return { kind: "confirmation", token: text };
    case contentCodes.unsubscription:
      return { kind: "unsubscription", token: text };
    default:
      throw new Error(`The store has no content of kind ${kind}.`);
  }
}
