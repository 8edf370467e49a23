/** Topics: create, list, show, update, delete. */

import {
  checkDisplayName,
  type Topic,
  type TopicId,
  type Topics,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import { type HttpApp, jsonContentType } from "../http-app.ts";
import { toSecondsText } from "../timestamps.ts";
import { projectFor } from "../topic-access.ts";
import { failsWith } from "../validation.ts";
import {
  type ListedPage,
  listPage,
  nextPageLink,
  pageParameters,
  readPage,
} from "./page.ts";
import type { SmnPorts } from "./ports.ts";
import { toFilter } from "./query-filter.ts";

export const topicParams = Type.Object({ topic_urn: Type.String() });

const displayName = Type.Optional(
  Type.Union([Type.String(), Type.Null()], failsWith("DISPLAY_NAME_INVALID")),
);

const createBody = Type.Object(
  {
    name: Type.String(failsWith("TOPIC_NAME_INVALID")),
    display_name: displayName,
    enterprise_project_id: Type.Optional(
      Type.Union([Type.String({ maxLength: 128 }), Type.Null()]),
    ),
  },
  failsWith("TOPIC_NAME_INVALID"),
);

const updateBody = Type.Object(
  { display_name: displayName },
  failsWith("DISPLAY_NAME_INVALID"),
);

export const topicListQuery = Type.Object({
  ...pageParameters,
  topic_id: Type.Optional(Type.String()),
  name: Type.Optional(Type.String(failsWith("TOPIC_NAME_INVALID"))),
  fuzzy_name: Type.Optional(Type.String(failsWith("TOPIC_NAME_INVALID"))),
  fuzzy_display_name: Type.Optional(
    Type.String(failsWith("DISPLAY_NAME_INVALID")),
  ),
  enterprise_project_id: Type.Optional(Type.String()),
});

/** Asks for the topics of all enterprise projects, which is all there are. */
const allEnterpriseProjects = "all_granted_eps";

export function topicRoutes(app: HttpApp, ports: SmnPorts): void {
  const { topics, originOf } = ports;

  app.post(
    "/topics",
    { config: { operation: "topics.write" }, schema: { body: createBody } },
    async (request, reply) => {
      const { name, display_name, enterprise_project_id } = request.body;
      const { topic, created } = await topics.create(projectOf(request), {
        name,
        displayName: display_name ?? undefined,
        enterpriseProjectId: enterprise_project_id || undefined,
      });
      reply.code(created ? 201 : 200).header("content-type", jsonContentType);
      // Written by hand: there is nothing in it that needs an escape.
      return `{"request_id":"${request.id}","topic_urn":"${topics.urnOf(topic)}"}`;
    },
  );

  app.get(
    "/topics",
    {
      config: { operation: "topics.read" },
      schema: { querystring: topicListQuery },
    },
    async (request, reply) => {
      const page = await listTopics(request, request.query, topics);
      const rest = JSON.stringify({
        request_id: request.id,
        topic_count: page.total,
        ...nextPageLink(request, originOf, "topics", page, topics.urnOf),
      });
      const listed = page.items.map((one) => rendered(one, topics).json);
      reply.header("content-type", jsonContentType);
      return `${rest.slice(0, -1)},"topics":[${listed.join(",")}]}`;
    },
  );

  app.get(
    "/topics/:topic_urn",
    { config: { operation: "topics.read" }, schema: { params: topicParams } },
    async (request) => {
      const { topic_urn } = request.params;
      const action = "SMN:QueryTopicDetail";
      const projectId = await projectFor(request, ports, topic_urn, action);
      const topic = await topics.get(projectId, topic_urn);
      return { ...toTopicBody(topic, topics), request_id: request.id };
    },
  );

  app.put(
    "/topics/:topic_urn",
    {
      config: { operation: "topics.write" },
      schema: { params: topicParams, body: updateBody },
    },
    async (request) => {
      const { topic_urn } = request.params;
      const action = "SMN:UpdateTopic";
      const projectId = await projectFor(request, ports, topic_urn, action);
      await topics.update(projectId, topic_urn, {
        // Go's clients leave the field out when it is empty.
        displayName: request.body.display_name ?? "",
      });
      return { request_id: request.id };
    },
  );

  app.delete(
    "/topics/:topic_urn",
    { config: { operation: "topics.write" }, schema: { params: topicParams } },
    async (request) => {
      const { topic_urn } = request.params;
      const action = "SMN:DeleteTopic";
      const projectId = await projectFor(request, ports, topic_urn, action);
      await topics.remove(projectId, topic_urn);
      return { request_id: request.id };
    },
  );
}

/** A page of the caller's topics, as the query asks. */
export async function listTopics(
  request: FastifyRequest,
  query: Static<typeof topicListQuery>,
  topics: Topics,
): Promise<ListedPage<Topic>> {
  const projectId = projectOf(request);
  const page = await readPage(query, (marker) =>
    topics.findLatestId(projectId, marker),
  );
  const filter = toFilter({
    // An id nobody has is a filter that nothing passes.
    id: query.topic_id as TopicId | undefined,
    name: query.name,
    fuzzyName: query.fuzzy_name,
    fuzzyDisplayName:
      query.fuzzy_display_name && checkDisplayName(query.fuzzy_display_name),
    enterpriseProjectId:
      query.enterprise_project_id === allEnterpriseProjects
        ? undefined
        : query.enterprise_project_id,
  });
  return await listPage(page, (one) => topics.list(projectId, filter, one));
}

/** A topic on the wire. */
export function toTopicBody(topic: Topic, topics: Topics) {
  return rendered(topic, topics).body;
}

/** A cached topic is rendered once. */
function rendered(topic: Topic, topics: Topics): RenderedTopic {
  const known = renderedTopics.get(topic);
  if (known) return known;
  const body = renderTopic(topic, topics);
  const made = { body, json: JSON.stringify(body) };
  renderedTopics.set(topic, made);
  return made;
}

interface RenderedTopic {
  readonly body: ReturnType<typeof renderTopic>;
  readonly json: string;
}

const renderedTopics = new WeakMap<Topic, RenderedTopic>();

function renderTopic(topic: Topic, topics: Topics) {
  return {
    topic_urn: topics.urnOf(topic),
    name: topic.name,
    display_name: topic.displayName,
    push_policy: topic.pushPolicy,
    enterprise_project_id: topic.enterpriseProjectId,
    topic_id: topic.id,
    create_time: toSecondsText(topic.createdAt),
    update_time: toSecondsText(topic.updatedAt),
  };
}
