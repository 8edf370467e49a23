/**
 * Logtanks: a topic's deliveries written to a log. Group and stream are the
 * client's own names for it; nothing of theirs is looked up.
 */

import { CarillonError, type TopicBinding } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toSecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const invalid = failsWith("BINDING_INVALID");
const logId = Type.String({ minLength: 1, maxLength: 64, ...invalid });

const logtankBody = Type.Object(
  { log_group_id: logId, log_stream_id: logId },
  invalid,
);

const logtankParams = Type.Object({
  ...topicParams.properties,
  logtank_id: Type.String(),
});

export function logtankRoutes(
  app: HttpApp,
  { bindings }: Pick<SmnPorts, "bindings">,
): void {
  app.post(
    "/topics/:topic_urn/logtanks",
    {
      config: { operation: "topics.write" },
      schema: { params: topicParams, body: logtankBody },
    },
    async (request, reply) => {
      const { log_group_id, log_stream_id } = request.body;
      const { id } = await ofTopic(
        bindings.create(...pathOf(request), "logtank", {
          logGroupId: log_group_id,
          logStreamId: log_stream_id,
        }),
      );
      reply.code(201);
      return { request_id: request.id, id };
    },
  );

  app.get(
    "/topics/:topic_urn/logtanks",
    { config: { operation: "topics.read" }, schema: { params: topicParams } },
    async (request) => {
      const found = await ofTopic(bindings.find(...pathOf(request), "logtank"));
      const logtanks = found ? [toLogtankBody(found)] : [];
      return { request_id: request.id, count: logtanks.length, logtanks };
    },
  );

  app.put(
    "/topics/:topic_urn/logtanks/:logtank_id",
    {
      config: { operation: "topics.write" },
      schema: { params: logtankParams, body: logtankBody },
    },
    async (request) => {
      const { log_group_id, log_stream_id } = request.body;
      const changed = await ofTopic(
        bindings.update(
          ...pathOf(request),
          "logtank",
          request.params.logtank_id,
          { logGroupId: log_group_id, logStreamId: log_stream_id },
        ),
      );
      return { request_id: request.id, logtank: toLogtankBody(changed) };
    },
  );

  app.delete(
    "/topics/:topic_urn/logtanks/:logtank_id",
    {
      config: { operation: "topics.write" },
      schema: { params: logtankParams },
    },
    async (request) => {
      const { logtank_id } = request.params;
      await ofTopic(bindings.remove(...pathOf(request), "logtank", logtank_id));
      return { request_id: request.id };
    },
  );
}

export function toLogtankBody(logtank: TopicBinding<"logtank">) {
  return {
    id: logtank.id,
    log_group_id: logtank.data.logGroupId,
    log_stream_id: logtank.data.logStreamId,
    create_time: toSecondsText(logtank.createdAt),
    update_time: toSecondsText(logtank.updatedAt),
  };
}

function pathOf(request: FastifyRequest) {
  const { topic_urn } = request.params as { readonly topic_urn: string };
  return [projectOf(request), topic_urn] as const;
}

/** Here, clients know a topic that is gone by a code of its own. */
async function ofTopic<Result>(action: Promise<Result>): Promise<Result> {
  try {
    return await action;
  } catch (error) {
    if (error instanceof CarillonError && error.code === "TOPIC_NOT_FOUND") {
      const { message } = error;
      throw new CarillonError("LOGTANK_TOPIC_NOT_FOUND", message, {
        cause: error,
      });
    }
    throw error;
  }
}
