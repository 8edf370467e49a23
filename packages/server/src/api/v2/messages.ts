/** Messages: what was published, and how far it has got. */

import {
  CarillonError,
  isHexId,
  type MessageContent,
  type MessageId,
  type MessageReader,
  type MessageReport,
  type ProjectId,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { refusals } from "./error-answers.ts";
import type { V2Ports } from "./ports.ts";
import { instant, limitParameter, readLimit } from "./schema-parts.ts";

const summaryProperties = {
  id: Type.String(),
  audience: Type.Union(
    [
      Type.Literal("topic"),
      Type.Literal("subscription"),
      Type.Literal("direct"),
    ],
    { description: "A topic's subscribers, one of them, or phone numbers" },
  ),
  topicUrn: Type.Optional(Type.String()),
  topicName: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String()),
  kind: Type.String({
    description: "text, structure, confirmation or unsubscription",
  }),
  acceptedAt: instant("When it was on disk"),
  expiresAt: instant(
    "No attempt is made after this; without a time to live, the end of the longest default life of a protocol",
  ),
  timeToLiveSeconds: Type.Optional(
    Type.Integer({ description: "As it was given" }),
  ),
  fannedOut: Type.Boolean({
    description: "False while subscriptions are still being walked",
  }),
  counts: Type.Record(Type.String(), Type.Integer(), {
    description: "How many deliveries are in each state",
  }),
};

const MessageSummary = Type.Object(summaryProperties, {
  title: "MessageSummary",
});

const Message = Type.Object(
  {
    ...summaryProperties,
    text: Type.Optional(Type.String()),
    variants: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "Text by protocol, of a message structure",
      }),
    ),
    attributes: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String(),
          type: Type.String(),
          value: Type.Unknown(),
        }),
      ),
    ),
  },
  { title: "Message" },
);

const MessageList = Type.Object(
  {
    messages: Type.Array(MessageSummary),
    next: Type.Optional(
      Type.String({
        description: "`before` of the next page, if there is one",
      }),
    ),
  },
  { title: "MessageList" },
);

const listQuery = Type.Object({
  limit: limitParameter,
  before: Type.Optional(
    Type.String({ description: "Id of a message: the page starts behind it" }),
  ),
});

export const messageParams = Type.Object({ messageId: Type.String() });

export function messageRoutes(app: HttpApp, { messages, seal }: V2Ports): void {
  /** As it was published; without its subject if its key is not there. */
  function opened(report: MessageReport): MessageReport {
    try {
      return { ...report, message: seal.open(report.message) };
    } catch {
      // One message that cannot be read must not hide the others.
      return report;
    }
  }

  app.get(
    "/messages",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Lists messages, newest first",
        tags: ["Messages"],
        querystring: listQuery,
        response: { 200: MessageList, ...refusals },
      },
    },
    async (request) => {
      const projectId = projectOf(request);
      const limit = readLimit(request.query.limit);
      const { before } = request.query;
      const start =
        before === undefined
          ? undefined
          : await getMessage(messages, projectId, before);
      const reports = await messages.listMessages(projectId, {
        limit: limit + 1,
        ...(start && { before: start.message.seq }),
      });
      const page = reports.slice(0, limit);
      const last = page.at(-1);
      return {
        messages: page.map((report) => toSummary(opened(report))),
        ...(last && reports.length > limit && { next: last.message.id }),
      };
    },
  );

  app.get(
    "/messages/:messageId",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Shows a message",
        tags: ["Messages"],
        params: messageParams,
        response: { 200: Message, ...refusals },
      },
    },
    async (request) => {
      const report = await getMessage(
        messages,
        projectOf(request),
        request.params.messageId,
      );
      const message = seal.open(report.message);
      const { content, attributes } = message;
      return {
        ...toSummary({ ...report, message }),
        ...toContentBody(content),
        ...(attributes && { attributes: [...attributes] }),
      };
    },
  );
}

/** @throws CarillonError MESSAGE_NOT_FOUND */
export async function getMessage(
  messages: Pick<MessageReader, "findMessage">,
  projectId: ProjectId,
  id: string,
): Promise<MessageReport> {
  const report = isHexId(id)
    ? await messages.findMessage(projectId, id as MessageId)
    : undefined;
  if (report) return report;
  throw new CarillonError("MESSAGE_NOT_FOUND", "Message not found.");
}

function toSummary({
  message,
  fannedOut,
  counts,
}: MessageReport): Static<typeof MessageSummary> {
  const { id, audience, topic, subject, content, timeToLiveSeconds } = message;
  return {
    id,
    audience,
    ...(topic && { topicUrn: topic.urn, topicName: topic.name }),
    ...(subject !== undefined && { subject }),
    kind: content.kind,
    acceptedAt: toMillisecondsText(message.createdAt),
    expiresAt: toMillisecondsText(message.expiresAt),
    ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
    fannedOut,
    counts: { ...counts },
  };
}

/**
 * Not what confirmations hold: with the token an owner could confirm in the
 * subscriber's place.
 */
function toContentBody(
  content: MessageContent,
): Pick<Static<typeof Message>, "text" | "variants"> {
  switch (content.kind) {
    case "text":
      return { text: content.text };
    case "structure":
      return { variants: { ...content.variants } };
    case "confirmation":
    case "unsubscription":
      return {};
    default:
      return content satisfies never;
  }
}
