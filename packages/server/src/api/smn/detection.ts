/** HTTP detection: is an endpoint reachable from here? */

import type { Detection } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { failsWith } from "../validation.ts";
import { readExtension } from "./bodies/subscription-extension.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const detectBody = Type.Object(
  {
    protocol: Type.String(failsWith("PROTOCOL_INVALID")),
    endpoint: Type.String(failsWith("ENDPOINT_INVALID")),
    extension: Type.Optional(Type.Unknown(failsWith("SUBSCRIPTION_INVALID"))),
  },
  failsWith("ENDPOINT_INVALID"),
);

const taskParams = Type.Object({
  ...topicParams.properties,
  task_id: Type.String(),
});

export function detectionRoutes(
  app: HttpApp,
  { detections }: Pick<SmnPorts, "detections">,
): void {
  app.post(
    "/topics/:topic_urn/detection",
    {
      config: { operation: "subscriptions.write" },
      schema: { params: topicParams, body: detectBody },
    },
    async (request) => {
      const { protocol, endpoint, extension } = request.body;
      const taskId = await detections.begin(
        projectOf(request),
        request.params.topic_urn,
        {
          // Sent by a release of the Go SDK.
          protocol: protocol === "https;" ? "https" : protocol,
          endpoint,
          extension: readExtension(extension),
        },
      );
      return { request_id: request.id, task_id: taskId };
    },
  );

  app.get(
    "/topics/:topic_urn/detection/:task_id",
    {
      config: { operation: "subscriptions.read" },
      schema: { params: taskParams },
    },
    async (request) => {
      const { topic_urn, task_id } = request.params;
      const detection = await detections.get(
        projectOf(request),
        topic_urn,
        task_id,
      );
      return { request_id: request.id, ...toDetectionBody(detection) };
    },
  );
}

const reachable = 0;
const notRunYet = 1;
const failed = 2;

/** For all but answers that are no 2xx the text is ours. */
function toDetectionBody(detection: Detection) {
  switch (detection.kind) {
    case "pending":
      return toBody(notRunYet, 0, "not run yet");
    case "answered": {
      const { statusCode, text } = detection;
      return statusCode >= 200 && statusCode < 300
        ? toBody(reachable, statusCode, "OK")
        : toBody(failed, statusCode, text);
    }
    case "refused":
      return toBody(failed, 0, "the endpoint is in a network that is refused");
    case "unanswered":
      return toBody(failed, -1, "no answer within 5 seconds");
    case "overloaded":
      return toBody(failed, -2, "too many detections wait; try again later");
    default:
      return detection satisfies never;
  }
}

function toBody(status: number, httpCode: number, httpResponse: string) {
  return { status, detail: { httpCode, httpResponse } };
}
