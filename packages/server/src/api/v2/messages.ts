/** Messages: what was published, and how far it has got. */

import {
  CarillonError,
  type SmsOptions as CoreSmsOptions,
  checkRelatedObject,
  checkTag,
  contentKinds,
  deliveryStates,
  isHexId,
  type MessageContent,
  type MessageId,
  type MessageReader,
  type MessageReport,
  messageClasses,
  type ProjectId,
  type RelatedObject as RelatedObjectKey,
  type TimeToLive,
  type Topics,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { refusals } from "./error-answers.ts";
import type { V2Ports } from "./ports.ts";
import {
  instant,
  limitParameter,
  parseInstant,
  readLimit,
  sinceParameter,
} from "./schema-parts.ts";
import { SmsOptions } from "./sms-options-schema.ts";

/** Looked at for one page that has a filter: some ten milliseconds. */
const maxScanned = 5000;

/** In characters. */
const excerptLength = 80;

export const RelatedObject = Type.Object(
  {
    type: Type.String({ description: "Kind of the object, such as order" }),
    id: Type.String({ description: "Which one of its kind" }),
  },
  { title: "RelatedObject" },
);

const summaryProperties = {
  id: Type.String({ description: "Of the message" }),
  audience: Type.Union(
    [
      Type.Literal("topic"),
      Type.Literal("subscription"),
      Type.Literal("direct"),
      Type.Literal("topics"),
    ],
    {
      description:
        "A topic's subscribers, one of them, its own recipients, or the subscribers of several topics",
    },
  ),
  topicUrn: Type.Optional(
    Type.String({
      description: "Of a message to one topic or to a subscription",
    }),
  ),
  topicUrns: Type.Optional(
    Type.Array(Type.String(), {
      description: "Of a message to several topics, in the order given",
    }),
  ),
  topicName: Type.Optional(Type.String({ description: "Of the same topic" })),
  subject: Type.Optional(Type.String({ description: "As it was published" })),
  kind: Type.String({
    description: contentKinds.join(", "),
  }),
  acceptedAt: instant("When it was on disk"),
  expiresAt: instant(
    "No attempt is made after this; without a time to live, the end of the longest default life of a protocol",
  ),
  timeToLiveSeconds: Type.Optional(
    Type.Union([Type.Integer(), Type.Record(Type.String(), Type.Integer())], {
      description: "As it was given, for all protocols or by protocol",
    }),
  ),
  notBefore: Type.Optional(
    instant("No attempt is made before this; lives are counted from it"),
  ),
  class: Type.Optional(Type.String({ description: messageClasses.join(", ") })),
  tag: Type.Optional(
    Type.String({ description: "The label it was published with" }),
  ),
  priority: Type.Optional(Type.Integer({ description: "1 is the highest" })),
  relatedObjects: Type.Optional(
    Type.Array(RelatedObject, { description: "What it is about" }),
  ),
  cancelled: Type.Optional(
    Type.Object(
      {
        at: instant("When"),
        userId: Type.String({ description: "The id of who did" }),
        userName: Type.String({ description: "Who did" }),
        reason: Type.Optional(Type.String({ description: "Why" })),
        jobId: Type.String({
          description: "The job that cancels its deliveries",
        }),
      },
      {
        title: "MessageCancellation",
        description: "Of a message that was cancelled as a whole",
      },
    ),
  ),
  fannedOut: Type.Boolean({
    description:
      "False while subscriptions are still being walked, or are not yet",
  }),
  counts: Type.Record(Type.String(), Type.Integer(), {
    description: "How many deliveries are in each state",
  }),
};

export const MessageSummary = Type.Object(
  {
    ...summaryProperties,
    excerpt: Type.Optional(
      Type.String({
        description: `The first ${excerptLength} characters of the text, or of the structure's default`,
      }),
    ),
  },
  { title: "MessageSummary" },
);

const Message = Type.Object(
  {
    ...summaryProperties,
    text: Type.Optional(
      Type.String({ description: "The same for all protocols" }),
    ),
    variants: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "Text by protocol, of a message structure",
      }),
    ),
    attributes: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String({ description: "Unique in the message" }),
          type: Type.String({
            description: "STRING, STRING_ARRAY or PROTOCOL",
          }),
          value: Type.Unknown({ description: "Text or list of texts" }),
        }),
        { description: "What filter policies looked at" },
      ),
    ),
    sms: Type.Optional(SmsOptions),
    extraData: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "Kept for the publisher, and not delivered",
      }),
    ),
    statusUrl: Type.Optional(
      Type.String({ description: "Is told of outcomes" }),
    ),
  },
  { title: "Message" },
);

const MessageList = Type.Object(
  {
    messages: Type.Array(MessageSummary, { description: "Newest first" }),
    next: Type.Optional(
      Type.String({
        description:
          "`before` of the next page, if there is one; with a filter a page may be shorter than asked for, or empty, and have a next one",
      }),
    ),
  },
  { title: "MessageList" },
);

const listQuery = Type.Object({
  topicUrn: Type.Optional(
    Type.String({
      description: "Only those published to this topic, alone or with others",
    }),
  ),
  state: Type.Optional(
    Type.Enum(deliveryStates, {
      description: "Only those with a delivery in this state",
    }),
  ),
  tag: Type.Optional(Type.String({ description: "Only those with this tag" })),
  relatedObjectType: Type.Optional(
    Type.String({
      description: "Only those about this object; with relatedObjectId",
    }),
  ),
  relatedObjectId: Type.Optional(
    Type.String({ description: "Its id; with relatedObjectType" }),
  ),
  since: sinceParameter("Only those accepted"),
  limit: limitParameter,
  before: Type.Optional(
    Type.String({ description: "Id of a message: the page starts behind it" }),
  ),
});

export const messageParams = Type.Object({
  messageId: Type.String({ description: "Id of a message" }),
});

export interface MessagePorts extends V2Ports {
  readonly topics: Pick<Topics, "get">;
}

export function messageRoutes(
  app: HttpApp,
  { messages, topics, seal }: MessagePorts,
): void {
  /** As it was published; without subject and text if its key is not there. */
  async function summaryOf(
    report: MessageReport,
  ): Promise<Static<typeof MessageSummary>> {
    try {
      const message = await seal.open(report.message);
      const excerpt = excerptOf(message.content);
      return {
        ...toSummary({ ...report, message }),
        ...(excerpt !== undefined && { excerpt }),
      };
    } catch {
      // One message that cannot be read must not hide the others.
      return toSummary(report);
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
      const { topicUrn, state, tag, since, before } = request.query;
      const relatedObject = readRelatedObject(request.query);
      const start =
        before === undefined
          ? undefined
          : await getMessage(messages, projectId, before);
      const topic =
        topicUrn === undefined
          ? undefined
          : await topics.get(projectId, topicUrn);
      const page = await messages.listMessages(
        projectId,
        {
          topicSeq: topic?.seq,
          state,
          tag: tag === undefined ? undefined : checkTag(tag),
          relatedObject,
          since: since === undefined ? undefined : parseInstant(since),
        },
        { limit, maxScanned, ...(start && { before: start.message.seq }) },
      );
      return {
        messages: await Promise.all(page.messages.map(summaryOf)),
        ...(page.next !== undefined && { next: page.next }),
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
    async (request) =>
      await toMessageBody(
        seal,
        await getMessage(
          messages,
          projectOf(request),
          request.params.messageId,
        ),
      ),
  );
}

/** @throws CarillonError KEY_UNUSABLE, of a message that is sealed */
async function toMessageBody(
  seal: V2Ports["seal"],
  report: MessageReport,
): Promise<Static<typeof Message>> {
  const message = await seal.open(report.message);
  const { content, attributes, sms, extraData, statusUrl } = message;
  return {
    ...toSummary({ ...report, message }),
    ...toContentBody(content),
    ...(attributes && { attributes: [...attributes] }),
    ...(sms && { sms: toSmsBody(sms) }),
    ...(extraData && { extraData: { ...extraData } }),
    ...(statusUrl !== undefined && { statusUrl }),
  };
}

function toSmsBody({
  params,
  ...options
}: CoreSmsOptions): Static<typeof SmsOptions> {
  return { ...options, ...(params && { params: { ...params } }) };
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

/** @throws CarillonError MESSAGE_OPTION_INVALID */
function readRelatedObject(
  query: Pick<
    Static<typeof listQuery>,
    "relatedObjectType" | "relatedObjectId"
  >,
): RelatedObjectKey | undefined {
  const { relatedObjectType: type, relatedObjectId: id } = query;
  if (type === undefined && id === undefined) return undefined;
  if (type === undefined || id === undefined) {
    const missing = type === undefined ? "Type" : "Id";
    throw new CarillonError(
      "MESSAGE_OPTION_INVALID",
      `relatedObject${missing} is missing: a related object is named by relatedObjectType and relatedObjectId together.`,
    );
  }
  return checkRelatedObject({ type, id }, "related object");
}

/** A message without its text. */
export function toSummary({
  message,
  cancellation,
  fannedOut,
  counts,
}: MessageReport): Static<typeof MessageSummary> {
  const { id, audience, topic, topics, subject, content } = message;
  const { timeToLiveSeconds, notBefore, tag, priority } = message;
  return {
    id,
    audience,
    ...(topic && { topicUrn: topic.urn, topicName: topic.name }),
    ...(topics && { topicUrns: topics.map(({ urn }) => urn) }),
    ...(subject !== undefined && { subject }),
    kind: content.kind,
    acceptedAt: toMillisecondsText(message.createdAt),
    expiresAt: toMillisecondsText(message.expiresAt),
    ...(timeToLiveSeconds !== undefined && {
      timeToLiveSeconds: toTimeToLiveBody(timeToLiveSeconds),
    }),
    ...(notBefore !== undefined && {
      notBefore: toMillisecondsText(notBefore),
    }),
    ...(message.class !== undefined && { class: message.class }),
    ...(tag !== undefined && { tag }),
    ...(priority !== undefined && { priority }),
    ...(message.relatedObjects && {
      relatedObjects: [...message.relatedObjects],
    }),
    ...(cancellation && {
      cancelled: { ...cancellation, at: toMillisecondsText(cancellation.at) },
    }),
    fannedOut,
    counts: { ...counts },
  };
}

function toTimeToLiveBody(given: TimeToLive): number | Record<string, number> {
  return typeof given === "number" ? given : { ...given };
}

function excerptOf(content: MessageContent): string | undefined {
  const { text, variants } = toContentBody(content);
  const whole = text ?? variants?.default;
  if (whole === undefined || whole.length <= excerptLength) return whole;
  // Whole characters: half of a surrogate pair is none.
  return [...whole.slice(0, 2 * excerptLength)]
    .slice(0, excerptLength)
    .join("");
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
    case "event":
    case "mail":
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
