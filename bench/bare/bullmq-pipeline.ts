/**
 * The pipeline with a queue: Fastify answers once a job is in Redis, a BullMQ
 * worker signs and POSTs. Options: {@link EventsOptions}.
 */

import { Queue, Worker } from "bullmq";
import type { Publish } from "../carillon.ts";
import { programOptions } from "../program.ts";
import { type EventsOptions, endpointOf, serveEvents } from "./events.ts";
import { NotificationWriter } from "./notification.ts";
import { concurrency, post } from "./poster.ts";

interface Job {
  readonly topicUrn: string;
  readonly publish: Publish;
}

const { sinkPort, redisPort, signature } = programOptions<EventsOptions>();
const connection = { host: "127.0.0.1", port: redisPort ?? 6379 };
const queue = new Queue<Job>("events", { connection });
const writer = new NotificationWriter(signature);

const worker = new Worker<Job>(
  "events",
  async ({ data: { topicUrn, publish } }) => {
    const message = await writer.write(topicUrn, publish);
    await post({ ...endpointOf(topicUrn, sinkPort), ...message });
  },
  { connection, concurrency, removeOnComplete: { count: 0 } },
);
worker.on("failed", (_job, error) => {
  throw error;
});

await serveEvents(async (topicUrn, publish) => {
  await queue.add("event", { topicUrn, publish });
});
