/** A text message to one phone, without a topic. */

import { maxMessageBytes } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import { type HttpApp, jsonContentType } from "../http-app.ts";
import { repeatableOf } from "../idempotency.ts";
import { messageBodyBytes } from "../json-body.ts";
import { failsWith } from "../validation.ts";
import type { SmnPorts } from "./ports.ts";
import { toPublishedBody } from "./publish.ts";

const smsBody = Type.Object(
  {
    endpoint: Type.String(failsWith("ENDPOINT_INVALID")),
    message: Type.String({
      maxLength: maxMessageBytes,
      ...failsWith("MESSAGE_INVALID"),
    }),
  },
  failsWith("ENDPOINT_INVALID"),
);

export function smsRoutes(app: HttpApp, ports: SmnPorts): void {
  app.post(
    "/sms",
    {
      config: {
        operation: "messages.publish",
        isFrequent: true,
        errorCodes: { BODY_TOO_LARGE: "MESSAGE_INVALID" },
      },
      schema: { body: smsBody },
      bodyLimit: messageBodyBytes,
    },
    async (request, reply) => {
      const { endpoint, message } = request.body;
      const published = await ports.publisher.sendSms(
        projectOf(request),
        endpoint,
        message,
        repeatableOf(request, "sms"),
      );
      reply.header("content-type", jsonContentType);
      return toPublishedBody(request, reply, published);
    },
  );
}
