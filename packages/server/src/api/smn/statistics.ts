/** How many texts a topic sent, hour by hour. */

import {
  addMs,
  CarillonError,
  type EpochMs,
  type ErrorCode,
  hourMs,
  instantOf,
} from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toSecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import type { SmnPorts } from "./ports.ts";
import { topicParams } from "./topics.ts";

const statisticsQuery = Type.Object({
  start_time: Type.String(failsWith("STATISTICS_START_INVALID")),
  end_time: Type.String(failsWith("STATISTICS_END_INVALID")),
});

const maxAgeMs = 31 * 24 * hourMs;

export function statisticsRoutes(
  app: HttpApp,
  {
    topics,
    statistics: counts,
    clock,
  }: Pick<SmnPorts, "topics" | "statistics" | "clock">,
): void {
  app.get(
    "/topics/:topic_urn/statistics",
    {
      config: { operation: "messages.read" },
      schema: { params: topicParams, querystring: statisticsQuery },
    },
    async (request) => {
      const { seq } = await topics.get(
        projectOf(request),
        request.params.topic_urn,
      );
      const { from, until } = readRange(request.query, clock.now());
      const byHour = new Map<number, number>();
      for (const it of await counts.readStatistics(seq, from, until)) {
        // What was handed to a carrier; a receipt that came later changes
        // nothing about that.
        const isSent = it.state === "sent" || it.state === "delivered";
        if (it.protocol !== "sms" || !isSent) continue;
        byHour.set(it.hour, (byHour.get(it.hour) ?? 0) + it.count);
      }
      const statistics: object[] = [];
      let total = 0;
      for (let hour = from; hour < until; hour = addMs(hour, hourMs)) {
        const sms = byHour.get(hour) ?? 0;
        total += sms;
        statistics.push({ start_time: toSecondsText(hour), count: { sms } });
      }
      return { request_id: request.id, total: { sms: total }, statistics };
    },
  );
}

/** @throws CarillonError STATISTICS_… */
function readRange(
  query: { readonly start_time: string; readonly end_time: string },
  now: EpochMs,
): { from: EpochMs; until: EpochMs } {
  const from = readHour(query.start_time, "STATISTICS_START_INVALID");
  const until = readHour(query.end_time, "STATISTICS_END_INVALID");
  if (until <= from) throw new CarillonError("STATISTICS_RANGE_INVALID");
  // The hour that has begun counts as one of them.
  if (from < now - (now % hourMs) - maxAgeMs) {
    throw new CarillonError(
      "STATISTICS_TOO_OLD",
      "Invalid start_time: statistics of the last 31 days can be asked for.",
    );
  }
  if (until - from > maxAgeMs + hourMs) {
    throw new CarillonError(
      "STATISTICS_END_INVALID",
      "Invalid end_time: at most 31 days can be asked for at once.",
    );
  }
  return { from, until };
}

function readHour(text: string, code: ErrorCode): EpochMs {
  const isHour = /T\d\d:00:00Z$/.test(text);
  const instant = isHour ? instantOf(text) : undefined;
  if (instant !== undefined) return instant;
  throw new CarillonError(
    code,
    "A whole hour in UTC such as 2026-01-15T08:00:00Z is expected.",
  );
}
