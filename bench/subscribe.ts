/** Subscribes webhooks as users do: over the API, confirmed by the receiver. */

import {
  authorization,
  subscriptionsPath,
  topicsPath,
  topicUrn,
} from "./carillon.ts";
import { runLoad } from "./load.ts";
import type { Child } from "./processes.ts";
import type { Sink } from "./sink.ts";

export interface Subscribing {
  /** `{n}` in it becomes the number of the subscription. */
  readonly topic: string;
  readonly count: number;
  /** Default: `{address}`, so spread over all receivers' addresses. */
  readonly host?: string;
  /** Default 16. */
  readonly connections?: number;
  /** Default `smn`. */
  readonly scheme?: "smn" | "standard-webhooks";
}

/** Creates topics `{n}` of 0 to `count` - 1. */
export async function createTopics(
  carillon: Child,
  name: string,
  count: number,
): Promise<void> {
  await runLoad({
    port: carillon.port,
    path: topicsPath,
    headers: { authorization },
    body: JSON.stringify({ name, display_name: "" }),
    connections: 16,
    requests: count,
  });
}

/**
 * Subscribes `/hook/0` to `/hook/{count - 1}` of the sink and waits until all
 * are confirmed; answers how many it were per second.
 */
export async function subscribeAll(
  service: Child,
  sink: Sink,
  {
    topic,
    count,
    host = "{address}",
    connections = 16,
    scheme = "smn",
  }: Subscribing,
): Promise<number> {
  await sink.reset();
  const { begunAt } = await runLoad({
    port: service.port,
    path:
      scheme === "smn"
        ? subscriptionsPath(topic)
        : `/api/v2/topics/${topicUrn(topic)}/subscriptions`,
    headers: { authorization },
    body: JSON.stringify({
      protocol: "http",
      endpoint: `http://${host}:${sink.port}/hook/{n}`,
      ...(scheme !== "smn" && { signature: { scheme } }),
    }),
    connections,
    requests: count,
  });
  const { lastConfirmedAt } = await sink.until("confirmed", count);
  return (count * 1000) / (lastConfirmedAt - begunAt);
}
