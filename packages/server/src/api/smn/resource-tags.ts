/**
 * Tags of topics, the only resources here that have any. Answers are as those
 * of the cloud's tag service: without a request id in the body.
 */

import type { TaggedTopic, TopicReference, Topics } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes } from "../json-body.ts";
import { failsWith } from "../validation.ts";
import { readResourceQuery } from "./bodies/resource-query.ts";
import { readResourceTag, readTagBatch } from "./bodies/resource-tag.ts";
import type { SmnPorts } from "./ports.ts";

const resourceParams = Type.Object({ resource_id: Type.String() });

const tagParams = Type.Object({
  ...resourceParams.properties,
  key: Type.String(),
});

const putBody = Type.Object(
  { tag: Type.Unknown() },
  failsWith("RESOURCE_TAG_INVALID"),
);

const malformed = {
  BODY_MALFORMED: "RESOURCE_TAG_INVALID",
  BODY_TOO_LARGE: "RESOURCE_TAG_INVALID",
} as const;

export function resourceTagRoutes(app: HttpApp, ports: SmnPorts): void {
  const { resourceTags, topics } = ports;

  app.post(
    "/smn_topic/:resource_id/tags",
    {
      config: { operation: "topics.write", errorCodes: malformed },
      schema: { params: resourceParams, body: putBody },
    },
    async (request, reply) => {
      await resourceTags.put(
        projectOf(request),
        topicOf(request, request.params.resource_id),
        readResourceTag(request.body.tag),
      );
      return reply.code(204).send();
    },
  );

  app.post(
    "/smn_topic/:resource_id/tags/action",
    {
      config: { operation: "topics.write", errorCodes: malformed },
      schema: { params: resourceParams },
      bodyLimit: listBodyBytes,
    },
    async (request, reply) => {
      await resourceTags.applyBatch(
        projectOf(request),
        topicOf(request, request.params.resource_id),
        readTagBatch(request.body),
      );
      return reply.code(204).send();
    },
  );

  app.delete(
    "/smn_topic/:resource_id/tags/:key",
    { config: { operation: "topics.write" }, schema: { params: tagParams } },
    async (request, reply) => {
      const { resource_id, key } = request.params;
      await resourceTags.remove(
        projectOf(request),
        topicOf(request, resource_id),
        key,
      );
      return reply.code(204).send();
    },
  );

  app.get(
    "/smn_topic/:resource_id/tags",
    {
      config: { operation: "topics.read" },
      schema: { params: resourceParams },
    },
    async (request) => ({
      tags: await resourceTags.list(
        projectOf(request),
        topicOf(request, request.params.resource_id),
      ),
    }),
  );

  app.get(
    "/smn_topic/tags",
    { config: { operation: "topics.read" } },
    async (request) => ({
      tags: await resourceTags.listOfProject(projectOf(request)),
    }),
  );

  app.post(
    "/smn_topic/resource_instances/action",
    {
      bodyLimit: listBodyBytes,
      config: { operation: "topics.read", errorCodes: malformed },
    },
    async (request) => {
      const found = await resourceTags.query(
        projectOf(request),
        readResourceQuery(request.body),
      );
      return found.action === "count"
        ? { total_count: found.total }
        : {
            resources: found.items.map((item) => toResourceBody(item, topics)),
            total_count: found.total,
          };
    },
  );
}

/** By id, or by name if a header says so, as Go's clients always do. */
function topicOf(request: FastifyRequest, value: string): TopicReference {
  const kind = String(request.headers["x-smn-resourceid-type"] ?? "");
  return { kind: kind.toLowerCase() === "name" ? "name" : "id", value };
}

function toResourceBody({ topic, tags }: TaggedTopic, topics: Topics) {
  return {
    resource_id: topic.id,
    resource_name: topic.name,
    resource_detail: {
      topic_urn: topics.urnOf(topic),
      display_name: topic.displayName,
      enterprise_project_id: topic.enterpriseProjectId,
      detailId: topic.id,
    },
    tags,
  };
}
