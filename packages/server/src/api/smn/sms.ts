/** A text message to one phone, without a topic. */

import { maxMessageBytes, maxTimeToLiveSeconds } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import { type HttpApp, jsonContentType } from "../http-app.ts";
import { repeatableOf } from "../idempotency.ts";
import { messageBodyBytes } from "../json-body.ts";
import { failsWith } from "../validation.ts";
import { readTextOptions, textOptions } from "./bodies/text-options.ts";
import type { SmnPorts } from "./ports.ts";
import { names, toPublishedBody } from "./publish.ts";

const smsBody = Type.Object(
  {
    endpoint: Type.String(failsWith("ENDPOINT_INVALID")),
    message: Type.String({
      maxLength: maxMessageBytes,
      ...failsWith("MESSAGE_INVALID"),
    }),
    // Ours: no fields of SMN.
    time_to_live: Type.Optional(
      Type.Union(
        [Type.String(), Type.Number(), Type.Null()],
        failsWith("TIME_TO_LIVE_INVALID"),
      ),
    ),
    status_url: Type.Optional(
      Type.Union(
        [Type.String(), Type.Null()],
        failsWith("MESSAGE_OPTION_INVALID"),
      ),
    ),
    ...textOptions,
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
      const { endpoint, message, ...options } = request.body;
      const published = await ports.publisher.sendSms(
        projectOf(request),
        endpoint,
        message,
        {
          timeToLive: options.time_to_live,
          maxTimeToLiveSeconds,
          statusUrl: options.status_url || undefined,
          ...readTextOptions(options),
          names,
          repeatable: repeatableOf(request, "sms"),
        },
      );
      reply.header("content-type", jsonContentType);
      return toPublishedBody(request, reply, published);
    },
  );
}
