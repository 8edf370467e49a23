/** Publishing to a topic. The busiest route there is. */

import {
  maxMessageBytes,
  maxTimeToLiveSeconds,
  type PublishedMessage,
} from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import { type HttpApp, jsonContentType } from "../http-app.ts";
import { answeredId, repeatableOf } from "../idempotency.ts";
import { messageBodyBytes } from "../json-body.ts";
import { projectFor } from "../topic-access.ts";
import { failsWith } from "../validation.ts";
import { readMessageAttributes } from "./bodies/message-attributes.ts";
import {
  namingOfSmsOptions,
  readTextOptions,
  textOptions,
} from "./bodies/text-options.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const text = Type.String({ maxLength: maxMessageBytes });

const publishBody = Type.Object(
  {
    subject: Type.Optional(
      Type.Union([Type.String(), Type.Null()], failsWith("SUBJECT_INVALID")),
    ),
    message: Type.Optional(
      Type.Union([text, Type.Null()], failsWith("MESSAGE_INVALID")),
    ),
    message_structure: Type.Optional(
      Type.Union([text, Type.Null()], failsWith("MESSAGE_STRUCTURE_INVALID")),
    ),
    message_template_name: Type.Optional(
      Type.Union(
        [Type.String(), Type.Null()],
        failsWith("TEMPLATE_NAME_INVALID"),
      ),
    ),
    tags: Type.Optional(
      Type.Union(
        [Type.Record(Type.String(), Type.String()), Type.Null()],
        failsWith("TEMPLATE_TAGS_INVALID"),
      ),
    ),
    time_to_live: Type.Optional(
      Type.Union(
        [Type.String(), Type.Number(), Type.Null()],
        failsWith("TIME_TO_LIVE_INVALID"),
      ),
    ),
    status_url: Type.Optional(
      Type.Union([text, Type.Null()], failsWith("ENDPOINT_INVALID")),
    ),
    message_attributes: Type.Optional(
      Type.Unknown(failsWith("MESSAGE_ATTRIBUTES_INVALID")),
    ),
    ...textOptions,
  },
  failsWith("MESSAGE_INVALID"),
);

export const names = {
  text: "message, message_structure or message_template_name",
  timeToLive: "time_to_live",
  statusUrl: "status_url",
  sms: namingOfSmsOptions,
};

export function publishRoutes(app: HttpApp, ports: SmnPorts): void {
  const { publisher } = ports;

  app.post(
    "/topics/:topic_urn/publish",
    {
      config: {
        operation: "messages.publish",
        isFrequent: true,
        errorCodes: { BODY_TOO_LARGE: "MESSAGE_INVALID" },
      },
      schema: { params: topicParams, body: publishBody },
      bodyLimit: messageBodyBytes,
    },
    async (request, reply) => {
      const { body } = request;
      const { topic_urn } = request.params;
      const projectId = await projectFor(
        request,
        ports,
        topic_urn,
        "SMN:Publish",
      );
      const attributes = readMessageAttributes(body.message_attributes);
      const published = await publisher.publish(projectId, topic_urn, {
        subject: body.subject,
        text: body.message,
        // Some clients send each field, empty when unused.
        structure: body.message_structure || undefined,
        template: body.message_template_name
          ? {
              name: body.message_template_name,
              tags: body.tags,
              projectId: projectOf(request),
            }
          : undefined,
        timeToLive: body.time_to_live,
        maxTimeToLiveSeconds,
        names,
        // Ours: no fields of SMN.
        statusUrl: body.status_url || undefined,
        ...readTextOptions(body),
        ...(attributes.length > 0 && { attributes }),
        repeatable: repeatableOf(request, `publish ${topic_urn}`),
      });
      reply.header("content-type", jsonContentType);
      return toPublishedBody(request, reply, published);
    },
  );
}

/** Written by hand: both are hexadecimal, nothing needs an escape. */
export function toPublishedBody(
  request: FastifyRequest,
  reply: FastifyReply,
  published: PublishedMessage,
): string {
  const requestId = answeredId(request, reply, published);
  return `{"request_id":"${requestId}","message_id":"${published.messageId}"}`;
}
