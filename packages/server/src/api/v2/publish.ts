/** Publishing a message, to a topic or to recipients that it names. */

import {
  CarillonError,
  checkMessageAttributes,
  checkTopicName,
  checkTopicUrns,
  type EpochMs,
  formatTopicUrn,
  maxLifeSeconds,
  maxMessageBytes,
  maxRecipients,
  maxTopics,
  minTopics,
  type ProjectId,
  type Protocols,
  type PublishedMessage,
  type PublishRequest,
} from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { answeredId, repeatableOf } from "../idempotency.ts";
import { messageBodyBytes } from "../json-body.ts";
import { projectFor } from "../topic-access.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import {
  idempotencyHeaders,
  messageOptionProperties,
} from "./message-options-schema.ts";
import { messageTimeProperties, timesOf } from "./message-times.ts";
import type { V2Ports } from "./ports.ts";
import { publisherOf } from "./pull/mailbox-access.ts";
import type { PullPorts } from "./pull/ports.ts";
import {
  categoriesProperty,
  messageProperty,
  Publication,
  publishByCategories,
  textOf,
} from "./pull/publication.ts";
import { SmsOptions } from "./sms-options-schema.ts";

/** Two of each recipient, and those of the rest of a message. */
const jsonMembers = 2 * maxRecipients + 1000;

/** Says by which protocols recipients are reached here. */
const audienceOf = ({ all }: Pick<Protocols, "all">) =>
  Type.Object(
    {
      kind: Type.Enum(["topic", "topics", "direct"], {
        description:
          "topic: the subscribers of topicUrn; topics: those of all topics, each once; direct: the recipients that are listed",
      }),
      topicUrn: Type.Optional(
        Type.String({
          description:
            "Of the caller's project, or of one that lets it publish",
          ...failsWith("TOPIC_URN_INVALID"),
        }),
      ),
      topics: Type.Optional(
        Type.Array(Type.String(), {
          description: `${minTopics} to ${maxTopics} topics of one project, by URN, or by name if it is the caller's own. Who is subscribed to several by the same protocol and endpoint gets the message once, through the first whose filter policies let it through`,
          ...failsWith("TOPICS_INVALID"),
        }),
      ),
      recipients: Type.Optional(
        Type.Array(
          Type.Object({
            protocol: Type.String({
              description: `How it is reached: ${all.map(({ name }) => name).join(", ")}. Mailboxes get messages through topics only`,
            }),
            endpoint: Type.String({
              description: "URL, mail address or phone number",
            }),
          }),
          {
            maxItems: maxRecipients,
            description:
              "Each once; one that cannot be used keeps all from being accepted",
            ...failsWith("RECIPIENTS_INVALID"),
          },
        ),
      ),
    },
    {
      title: "Audience",
      description:
        "Who gets it: kind, and the one member that belongs to this kind",
    },
  );

const text = Type.String({
  maxLength: maxMessageBytes,
  description: `For all protocols, of ${maxMessageBytes} bytes at most; one of text, variants and template is needed`,
  ...failsWith("MESSAGE_INVALID"),
});

export const subject = Type.String({
  description: "Of mails and webhooks, one line of 512 characters at most",
  ...failsWith("SUBJECT_INVALID"),
});

export const messageAttributes = Type.Array(
  Type.Object({
    name: Type.String({
      description:
        "1 to 32 of a-z, 0-9 and single underscores between them; unique in the message",
    }),
    type: Type.String({
      description: "STRING, STRING_ARRAY or PROTOCOL",
    }),
    value: Type.Unknown({
      description:
        "Of a STRING 1 to 32 letters, digits or underscores; of a STRING_ARRAY a list of 1 to 10 such texts; of a PROTOCOL a list of protocols",
    }),
  }),
  {
    description: "What filter policies look at, 10 at most",
    ...failsWith("MESSAGE_ATTRIBUTES_INVALID"),
  },
);

export const timeToLiveSeconds = Type.Union(
  [Type.Number(), Type.Record(Type.String(), Type.Number())],
  {
    description: `How long it is attempted, for all protocols or by protocol, 1 to ${maxLifeSeconds}; those not named have their default lives`,
    ...failsWith("TIME_TO_LIVE_INVALID"),
  },
);

const newMessageOf = (protocols: Pick<Protocols, "all">) =>
  Type.Object(
    {
      audience: Type.Optional(audienceOf(protocols)),
      publisher: Type.Optional(
        Type.String({
          description:
            "In place of audience: the name of the publisher whose subscribers get it. Credentials of a publisher need not name it",
        }),
      ),
      categories: Type.Optional(categoriesProperty),
      message: Type.Optional(messageProperty),
      subject: Type.Optional(subject),
      text: Type.Optional(text),
      variants: Type.Optional(
        Type.Record(
          Type.String(),
          Type.String({ maxLength: maxMessageBytes }),
          {
            description:
              "Text by protocol, in place of text; default is for the others",
            ...failsWith("MESSAGE_STRUCTURE_INVALID"),
          },
        ),
      ),
      template: Type.Optional(
        Type.Object(
          {
            name: Type.String({
              description: "Of a template of the caller's project",
              ...failsWith("TEMPLATE_NAME_INVALID"),
            }),
            tags: Type.Optional(
              Type.Record(Type.String(), Type.String(), {
                description: "What stands in for its placeholders, by name",
                ...failsWith("TEMPLATE_TAGS_INVALID"),
              }),
            ),
          },
          { description: "In place of text", ...failsWith("MESSAGE_INVALID") },
        ),
      ),
      attributes: Type.Optional(messageAttributes),
      timeToLiveSeconds: Type.Optional(timeToLiveSeconds),
      ...messageTimeProperties,
      ...messageOptionProperties,
      sms: Type.Optional({
        ...SmsOptions,
        description:
          "What its texts are sent with; a direct message with it needs an SMS recipient",
        ...failsWith("MESSAGE_OPTION_INVALID"),
      }),
    },
    { title: "NewMessage" },
  );

type NewMessage = Static<ReturnType<typeof newMessageOf>>;

const Published = Type.Object(
  {
    ...Publication.properties,
    id: Type.String({ description: "Of the message" }),
  },
  { title: "PublishedMessage" },
);

export function publishRoutes(
  app: HttpApp,
  ports: V2Ports & Pick<PullPorts, "pullPublishers">,
): void {
  const { publisher, pullPublishers, clock } = ports;

  app.post(
    "/messages",
    {
      config: {
        operation: "messages.publish",
        account: "publisher",
        isFrequent: true,
        jsonMembers,
        errorCodes: { BODY_TOO_LARGE: "MESSAGE_INVALID" },
      },
      schema: {
        summary: "Publishes a message",
        description:
          "Answers once the message is on disk. With an Idempotency-Key (1 to 255 printable ASCII characters; in quotes if there are blanks, commas or backslashes among them) the same request within 24 hours is answered the same, with Idempotency-Replayed: true, and publishes nothing more; while the first one is running it is answered 409 with Retry-After, and with another body 422. With `publisher`, or the own Basic credentials of one, it goes to the subscribers of `categories`: that is answered once it is in all mailboxes, after 10 seconds at the latest, with the counts as they are then; with 200 and no id when no category that was named exists.",
        tags: ["Messages"],
        headers: idempotencyHeaders,
        body: newMessageOf(ports.protocols),
        response: { 200: Publication, 201: Published, ...refusals },
      },
      bodyLimit: messageBodyBytes,
    },
    async (request, reply) => {
      const isByCategories =
        request.account !== undefined || isOfPublisher(request.body);
      if (isByCategories) return await publishToFollowers(request, reply);
      const published = await publish(request, request.body);
      answeredId(request, reply, published);
      const { messageId: id } = published;
      reply.code(201).header("location", `/api/v2/messages/${id}`);
      return { id };
    },
  );

  /** @throws RequestError REQUEST_INVALID for what only an audience has */
  async function publishToFollowers(
    request: FastifyRequest<{ Body: NewMessage }>,
    reply: FastifyReply,
  ) {
    const { publisher: name, categories, message, ...body } = request.body;
    for (const member of ["audience", "variants", "template", "sms"] as const) {
      if (body[member] === undefined) continue;
      throw new RequestError(
        "REQUEST_INVALID",
        `A message to a publisher's subscribers has no ${member}.`,
      );
    }
    const known = await publisherOf(request, name, pullPublishers);
    return await publishByCategories(
      request,
      reply,
      known,
      categories,
      toRequest(
        { ...body, text: textOf({ text: body.text, message }) },
        known.projectId,
        clock.now(),
      ),
      pullPublishers,
    );
  }

  async function publish(
    request: FastifyRequest,
    { message, ...body }: NewMessage,
  ): Promise<PublishedMessage> {
    if (message !== undefined) {
      throw new CarillonError(
        "MESSAGE_INVALID",
        "Invalid message: text is expected in its place for an audience.",
      );
    }
    const audience = checkAudience(body.audience);
    const own = projectOf(request);
    const repeatable = repeatableOf(request, "messages");
    const content = { ...toRequest(body, own, clock.now()), repeatable };
    switch (audience.kind) {
      case "topic": {
        const { topicUrn } = audience;
        const project = await projectFor(
          request,
          ports,
          topicUrn,
          "SMN:Publish",
        );
        return await publisher.publish(project, topicUrn, content);
      }
      case "topics": {
        const urns = audience.topics.map((it) => toTopicUrn(it, own));
        const project = await projectForAll(request, urns);
        return await publisher.publishToSeveral(project, urns, content);
      }
      case "direct":
        return await publisher.send(own, audience.recipients, content);
      default:
        return audience satisfies never;
    }
  }

  /** @throws CarillonError TOPIC_NAME_INVALID */
  function toTopicUrn(topic: string, projectId: ProjectId): string {
    if (topic.startsWith("urn:")) return topic;
    const { region } = ports;
    const topicName = checkTopicName(topic);
    return formatTopicUrn({ region, projectId, topicName });
  }

  /**
   * The project in which the caller may publish to all these topics.
   *
   * @throws CarillonError TOPICS_INVALID, TOPIC_ACCESS_DENIED
   */
  async function projectForAll(
    request: FastifyRequest,
    topicUrns: readonly string[],
  ): Promise<ProjectId> {
    const [first = "", ...others] = checkTopicUrns(topicUrns);
    const project = await projectFor(request, ports, first, "SMN:Publish");
    for (const urn of others) {
      const other = await projectFor(request, ports, urn, "SMN:Publish");
      if (other === project) continue;
      throw new CarillonError(
        "TOPICS_INVALID",
        `Invalid topics: ${urn} is of another project than ${first}; a message goes to topics of one project.`,
      );
    }
    return project;
  }
}

/** Whether it is for subscribers of a publisher, and names no audience. */
function isOfPublisher({ publisher, categories }: NewMessage): boolean {
  return publisher !== undefined || categories !== undefined;
}

type GivenAudience = NonNullable<NewMessage["audience"]>;

type CheckedAudience =
  | { readonly kind: "topic"; readonly topicUrn: string }
  | { readonly kind: "topics"; readonly topics: readonly string[] }
  | {
      readonly kind: "direct";
      readonly recipients: NonNullable<GivenAudience["recipients"]>;
    };

/** The member that each kind of audience has, and it alone. */
const memberOf = {
  topic: "topicUrn",
  topics: "topics",
  direct: "recipients",
} as const satisfies Record<GivenAudience["kind"], keyof GivenAudience>;

/** @throws RequestError REQUEST_INVALID */
function checkAudience(audience: GivenAudience | undefined): CheckedAudience {
  if (audience === undefined) {
    throw new RequestError(
      "REQUEST_INVALID",
      "audience is missing; or say publisher, to whose subscribers it goes.",
    );
  }
  const { kind, topicUrn, topics, recipients } = audience;
  for (const member of Object.values(memberOf)) {
    const isNeeded = member === memberOf[kind];
    const isGiven = audience[member] !== undefined;
    if (isNeeded !== isGiven) throw misfit(kind, member, isNeeded);
  }
  if (topicUrn !== undefined) return { kind: "topic", topicUrn };
  if (topics !== undefined) return { kind: "topics", topics };
  return { kind: "direct", recipients: recipients ?? [] };
}

function misfit(kind: string, member: string, isNeeded: boolean): RequestError {
  return new RequestError(
    "REQUEST_INVALID",
    `audience of kind ${kind} ${isNeeded ? "needs" : "has no"} ${member}.`,
  );
}

/** @throws CarillonError MESSAGE_INVALID, MESSAGE_ATTRIBUTES_INVALID */
function toRequest(
  body: Omit<NewMessage, "audience">,
  projectId: ProjectId,
  now: EpochMs,
): PublishRequest {
  const { text, variants, template, attributes } = body;
  const given = [text, variants, template].filter((it) => it !== undefined);
  if (given.length !== 1) {
    throw new CarillonError(
      "MESSAGE_INVALID",
      `Invalid message: one of text, variants and template is expected, ${given.length} were given.`,
    );
  }
  const checked = checkMessageAttributes(attributes ?? []);
  const { attributes: _, ...options } = body;
  return {
    ...options,
    variants,
    template: template && { ...template, projectId },
    ...timesOf(body, now),
    ...(checked.length > 0 && { attributes: checked }),
  };
}
