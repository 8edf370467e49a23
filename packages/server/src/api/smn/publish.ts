/** Publishing to a topic. The busiest route there is. */

import { CarillonError } from "@carillon/core";
import Type from "typebox";
import { projectOf } from "../authentication.ts";
import { type HttpApp, jsonContentType } from "../http-app.ts";
import { failsWith } from "../validation.ts";
import { parseMessageAttributes } from "./message-attributes.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const publishBody = Type.Object(
  {
    subject: Type.Optional(
      Type.Union([Type.String(), Type.Null()], failsWith("SUBJECT_INVALID")),
    ),
    message: Type.Optional(
      Type.Union([Type.String(), Type.Null()], failsWith("MESSAGE_INVALID")),
    ),
    message_structure: Type.Optional(
      Type.Union(
        [Type.String(), Type.Null()],
        failsWith("MESSAGE_STRUCTURE_INVALID"),
      ),
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
    message_attributes: Type.Optional(Type.Unknown()),
  },
  failsWith("MESSAGE_INVALID"),
);

const templateName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export function publishRoutes(app: HttpApp, ports: SmnPorts): void {
  const { topics, publisher } = ports;

  app.post(
    "/topics/:topic_urn/publish",
    {
      schema: { params: topicParams, body: publishBody },
      config: { errorCodes: { BODY_TOO_LARGE: "MESSAGE_INVALID" } },
    },
    async (request, reply) => {
      const { body, params } = request;
      const projectId = projectOf(request);
      // A structure wins over a template, a template over plain text.
      if (body.message_template_name && !body.message_structure) {
        await topics.get(projectId, params.topic_urn);
        throw templateNotFound(body.message_template_name);
      }
      const attributes = parseMessageAttributes(body.message_attributes);
      const messageId = await publisher.publish(projectId, params.topic_urn, {
        subject: body.subject,
        text: body.message,
        // Some clients send each field, empty when unused.
        structure: body.message_structure || undefined,
        timeToLive: body.time_to_live,
        ...(attributes && { attributes }),
      });
      return reply
        .header("content-type", jsonContentType)
        .send(toPublishedBody(request.id, messageId));
    },
  );
}

/** Written by hand: both are hexadecimal, nothing needs an escape. */
export function toPublishedBody(requestId: string, messageId: string): string {
  return `{"request_id":"${requestId}","message_id":"${messageId}"}`;
}

function templateNotFound(name: string): CarillonError {
  return templateName.test(name)
    ? new CarillonError("TEMPLATE_NOT_FOUND", "Message template not found.")
    : new CarillonError(
        "TEMPLATE_NAME_INVALID",
        "Invalid message_template_name: 1 to 64 letters, digits, '-' or '_', starting with a letter or digit.",
      );
}
