/** Topics with all that belongs to them, in one list. */

import { CarillonError, type Topic } from "@carillon/core";
import type { HttpApp } from "../http-app.ts";
import { toLogtankBody } from "./logtanks.ts";
import { nextPageLink } from "./page.ts";
import type { SmnPorts } from "./ports.ts";
import { listTopics, topicListQuery, toTopicBody } from "./topics.ts";

export function associatedResourceRoutes(app: HttpApp, ports: SmnPorts): void {
  const { topics, resourceTags, originOf } = ports;

  app.get(
    "/topics-with-associated-resources",
    {
      config: { operation: "topics.read" },
      schema: { querystring: topicListQuery },
    },
    async (request) => {
      const page = await listTopics(request, request.query, topics);
      const { total, items } = page;
      const tagsOf = await resourceTags.listOf(items);
      return {
        request_id: request.id,
        topic_count: total,
        topics: await Promise.all(
          items.map(async (topic) => {
            const body = toTopicBody(topic, topics);
            const { create_time, update_time } = body;
            return {
              ...body,
              tags: tagsOf.get(topic.seq) ?? [],
              attributes: {
                access_policy: topic.accessPolicy,
                create_time,
                update_time,
              },
              logtanks: await listLogtanks(topic, ports),
            };
          }),
        ),
        ...nextPageLink(request, originOf, "topics", page, topics.urnOf),
      };
    },
  );
}

async function listLogtanks(
  topic: Topic,
  { topics, bindings }: Pick<SmnPorts, "topics" | "bindings">,
) {
  try {
    const urn = topics.urnOf(topic);
    const found = await bindings.find(topic.projectId, urn, "logtank");
    return found ? [toLogtankBody(found)] : [];
  } catch (error) {
    // Deleted since the list was read: no reason to fail the others.
    if (error instanceof CarillonError && error.code === "TOPIC_NOT_FOUND") {
      return [];
    }
    throw error;
  }
}
