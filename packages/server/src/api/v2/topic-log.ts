/** The log of a topic's deliveries, for topics that have a logtank. */

import { CarillonError, type Topics } from "@carillon/core";
import type { DeliveryLogReader } from "../../delivery-log/delivery-log.ts";
import { parseCursor } from "../../delivery-log/log-files.ts";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { refusals } from "./error-answers.ts";
import { limitParameter, readLimit, topicParams } from "./schema-parts.ts";

const LogPage = Type.Object(
  {
    entries: Type.Array(Type.Unknown(), { description: "Oldest first" }),
    next: Type.String({
      description:
        "`after` of the next page; there always is one, empty until more was delivered",
    }),
  },
  { title: "LogPage" },
);

const logQuery = Type.Object({
  limit: limitParameter,
  after: Type.Optional(Type.String({ description: "`next` of another page" })),
});

export interface TopicLogPorts {
  readonly topics: Topics;
  readonly deliveryLog: DeliveryLogReader;
}

export function topicLogRoutes(
  app: HttpApp,
  { topics, deliveryLog }: TopicLogPorts,
): void {
  app.get(
    "/topics/:topicUrn/log",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Reads the log of a topic's deliveries",
        tags: ["Topics"],
        params: topicParams,
        querystring: logQuery,
        response: { 200: LogPage, ...refusals },
      },
    },
    async (request) => {
      const { after } = request.query;
      const limit = readLimit(request.query.limit);
      if (after !== undefined && !parseCursor(after)) {
        throw new CarillonError(
          "PAGE_INVALID",
          "Invalid after: use `next` of another page.",
        );
      }
      const topic = await topics.get(
        projectOf(request),
        request.params.topicUrn,
      );
      const page = await deliveryLog.read(topic.id, { after, limit });
      return { entries: [...page.entries], next: page.next };
    },
  );
}
