/** Hourly counts of a topic's deliveries, of every protocol. */

import {
  addMs,
  type Clock,
  hourMs,
  type StatisticsReader,
  type Topics,
} from "@carillon/core";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { refusals } from "./error-answers.ts";
import { instant, isWithin, rangeText, topicParams } from "./schema-parts.ts";

const Statistics = Type.Object(
  {
    hours: Type.Array(
      Type.Object({
        start: instant("When the hour began"),
        protocol: Type.String({ description: "Of the deliveries" }),
        state: Type.String({
          description: "The state deliveries came to rest in first",
        }),
        count: Type.Integer({ description: "How many deliveries" }),
      }),
      { description: "In order of time; what did not occur is left out" },
    ),
  },
  { title: "Statistics" },
);

const defaultHours = 24;
const maxHours = 9999;

export interface TopicStatisticsPorts {
  readonly topics: Topics;
  readonly statistics: StatisticsReader;
  readonly clock: Clock;
}

export function topicStatisticsRoutes(
  app: HttpApp,
  { topics, statistics, clock }: TopicStatisticsPorts,
): void {
  app.get(
    "/topics/:topicUrn/statistics",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Counts a topic's deliveries by hour, protocol and state",
        tags: ["Topics"],
        params: topicParams,
        querystring: Type.Object({
          hours: Type.Optional(
            Type.String({
              // Without a pattern: the route says the range.
              description: `How many hours, 1 to ${maxHours}, the current one last`,
              default: String(defaultHours),
            }),
          ),
        }),
        response: { 200: Statistics, ...refusals },
      },
    },
    async (request) => {
      const topic = await topics.get(
        projectOf(request),
        request.params.topicUrn,
      );
      const now = clock.now();
      const until = addMs(now, hourMs - (now % hourMs));
      const { hours: given = String(defaultHours) } = request.query;
      if (!isWithin(given, maxHours)) {
        throw new RequestError("REQUEST_INVALID", rangeText("hours", maxHours));
      }
      const hours = Number(given);
      const counts = await statistics.readStatistics(
        topic.seq,
        addMs(until, -hours * hourMs),
        until,
      );
      return {
        hours: counts.map(({ hour, protocol, state, count }) => ({
          start: toMillisecondsText(hour),
          protocol,
          state,
          count,
        })),
      };
    },
  );
}
