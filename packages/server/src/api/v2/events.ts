/** Events of a project, as they happen: server-sent events. */

import { PassThrough } from "node:stream";
import {
  CarillonError,
  checkTopicName,
  type EventType,
  eventTypes,
  formatTopicUrn,
  isHexId,
  type MessageReader,
  type ProjectId,
  type Protocols,
  parseTopicUrn,
  type Topics,
} from "@carillon/core";
import { RequestError } from "../../errors.ts";
import {
  type ListenerPosition,
  parseEventId,
} from "../../events/event-listener.ts";
import type { EventTailer } from "../../events/event-tailer.ts";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { refusals } from "./error-answers.ts";
import { getMessage } from "./messages.ts";

export interface EventPorts {
  readonly events: Pick<EventTailer, "listen">;
  readonly topics: Topics;
  readonly messages: MessageReader;
  readonly region: string;
  readonly protocols: Protocols;
}

const eventsQuery = Type.Object({
  events: Type.Optional(
    Type.String({
      maxLength: 1024,
      description: `Only these, separated by commas; \`delivery.*\` for all of deliveries. There are ${eventTypes.join(", ")}`,
    }),
  ),
  topic: Type.Optional(
    Type.String({
      maxLength: 400,
      description: "Only those of this topic: its name or URN",
    }),
  ),
  message: Type.Optional(
    Type.String({
      maxLength: 64,
      description: "Only those of this message: its id",
    }),
  ),
  protocol: Type.Optional(
    Type.String({
      maxLength: 16,
      description: "Only those of this protocol, such as `https` or `sms`",
    }),
  ),
  after: Type.Optional(
    Type.String({
      maxLength: 80,
      description:
        "The id of the last event that was seen; the header `Last-Event-ID` wins. Without either it begins at the present",
    }),
  ),
});

export function eventRoutes(
  app: HttpApp,
  { events, region, protocols, topics, messages }: EventPorts,
): void {
  /**
   * The URN of a topic that is there, or was: what became of its last messages may
   * still be told.
   *
   * @throws CarillonError TOPIC_NAME_INVALID, TOPIC_URN_INVALID, TOPIC_NOT_FOUND
   */
  async function topicUrnOf(
    projectId: ProjectId,
    topic: string,
  ): Promise<string> {
    const isUrn = topic.startsWith("urn:");
    if (isUrn && !parseTopicUrn(topic)) {
      throw new CarillonError("TOPIC_URN_INVALID");
    }
    const urn = isUrn
      ? topic
      : formatTopicUrn({
          region,
          projectId,
          topicName: checkTopicName(topic),
        });
    if (await topics.findLatestId(projectId, urn)) return urn;
    throw new CarillonError("TOPIC_NOT_FOUND", "Topic not found.");
  }

  /** @throws RequestError REQUEST_INVALID, CarillonError MESSAGE_NOT_FOUND */
  async function messageIdOf(
    projectId: ProjectId,
    id: string,
  ): Promise<string> {
    if (!isHexId(id)) {
      throw new RequestError(
        "REQUEST_INVALID",
        "message is not as expected: the id of a message, 32 hexadecimal digits.",
      );
    }
    return (await getMessage(messages, projectId, id)).message.id;
  }

  app.get(
    "/events",
    {
      config: { operation: "messages.read" },
      schema: {
        summary:
          "Streams what happens, resumable by `Last-Event-ID`: at most 50 events a second one by one, and what is beyond as counts in a `summary`",
        tags: ["Events"],
        querystring: eventsQuery,
        response: {
          200: Type.String({ description: "text/event-stream" }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const projectId = projectOf(request);
      const { topic, message, protocol, ...query } = request.query;
      checkProtocol(protocol, protocols);
      const filter = {
        projectId,
        types: parseTypes(query.events),
        topicUrn:
          topic === undefined ? undefined : await topicUrnOf(projectId, topic),
        messageId:
          message === undefined
            ? undefined
            : await messageIdOf(projectId, message),
        protocol,
      };
      const header = request.headers["last-event-id"];
      const after = readPosition(
        typeof header === "string" && header !== "" ? header : query.after,
      );
      const output = new PassThrough();
      await events.listen(filter, after, () => ({
        output,
        cut: () => request.raw.socket.destroy(),
      }));
      return (
        reply
          .header("content-type", "text/event-stream; charset=utf-8")
          .header("x-accel-buffering", "no")
          // A stream of what the schema calls a text.
          .send(output as unknown as string)
      );
    },
  );
}

/** @throws RequestError REQUEST_INVALID */
function parseTypes(text: string | undefined): Set<EventType> | undefined {
  if (text === undefined) return undefined;
  const types = new Set<EventType>();
  for (const name of text.split(",").map((it) => it.trim())) {
    const found = eventTypes.filter((type) =>
      name.endsWith(".*") ? type.startsWith(name.slice(0, -1)) : type === name,
    );
    if (found.length === 0) {
      throw new RequestError(
        "REQUEST_INVALID",
        `events is not as expected: there is no event ${name}. There are ${eventTypes.join(", ")}.`,
      );
    }
    for (const type of found) types.add(type);
  }
  return types;
}

/** @throws RequestError REQUEST_INVALID */
function checkProtocol(text: string | undefined, protocols: Protocols): void {
  if (text === undefined || protocols.find(text)) return;
  throw new RequestError(
    "REQUEST_INVALID",
    `protocol is not as expected: one of ${protocols.all.map(({ name }) => name).join(", ")}.`,
  );
}

/** @throws RequestError REQUEST_INVALID */
function readPosition(text: string | undefined): ListenerPosition | undefined {
  if (text === undefined) return undefined;
  const position = parseEventId(text);
  if (position) return position;
  throw new RequestError(
    "REQUEST_INVALID",
    "Last-Event-ID is not as expected: the id of an event, as a stream has given it.",
  );
}
