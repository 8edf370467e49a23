/**
 * Events: many messages to one http subscriber each, until all arrived, against
 * the same without a store (the bare pipeline) and with BullMQ on Redis. Once
 * with 1,000 topics whose subscribers have addresses of their own, once with
 * one topic. Every delivery has its own signature, RSA as SMN has it, or HMAC.
 */

import type { BareSignature } from "../bare/notification.ts";
import {
  alert,
  authorization,
  createDataFolder,
  publishPath,
  startCarillon,
} from "../carillon.ts";
import { runLoad } from "../load.ts";
import { ProcessorMeter, processorTime } from "../process-account.ts";
import { type Child, startProgram } from "../processes.ts";
import { startRedis, withoutRedis } from "../redis.ts";
import { atLeast, type BenchResult, figure } from "../result.ts";
import { type Sink, startSink } from "../sink.ts";
import { alternate, median, medianRatio } from "../statistics.ts";
import { createTopics, subscribeAll } from "../subscribe.ts";

export interface EventsOptions {
  readonly messages?: number;
  readonly rounds?: number;
  readonly topics?: number;
  /** Default `rsa`. */
  readonly signature?: BareSignature;
}

export async function benchEvents({
  messages = 20_000,
  rounds = 5,
  topics = 1000,
  signature = "rsa",
}: EventsOptions = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await using redis = await startRedis();
  const sinkPort = sink.port;
  await using bare = await startProgram("bare/pipeline.ts", {
    sinkPort,
    signature,
  });
  await using bullmq =
    redis &&
    (await startProgram("bare/bullmq-pipeline.ts", {
      sinkPort,
      signature,
      redisPort: redis.port,
    }));
  await createTopics(carillon, "events-{n}", topics);
  const isHmac = signature === "hmac";
  await subscribeAll(carillon, sink, {
    topic: "events-{n}",
    count: topics,
    scheme: isHmac ? "standard-webhooks" : "smn",
  });

  const meters = { bare: new ProcessorMeter(), carillon: new ProcessorMeter() };
  const events = (service: Child) => () =>
    eventsPerSecond(service, sink, messages, topics);
  const rates = await alternate(rounds, {
    bare: () => meters.bare.measure(bare, messages, events(bare)),
    carillon: () =>
      meters.carillon.measure(carillon, messages, events(carillon)),
    ...(bullmq && { bullmq: events(bullmq) }),
  });
  const ratioTo = (rival: string) => medianRatio(rates.carillon, rates[rival]);
  return {
    name: `events: ${messages.toLocaleString("en")} messages → 1 http subscriber each, ${topics.toLocaleString("en")} topics, 64 publishers${isHmac ? ", signed by HMAC" : ""}`,
    rows: [
      figure("bare pipeline", median(rates.bare), "events/s", "nothing kept"),
      figure("carillon", median(rates.carillon), "events/s", "fsync"),
      atLeast("carillon ÷ bare pipeline", ratioTo("bare"), isHmac ? 0.65 : 0.7),
      processorTime("bare pipeline", meters.bare, "event"),
      processorTime("carillon", meters.carillon, "event"),
      ...(bullmq === undefined
        ? []
        : [
            figure("Fastify + BullMQ", median(rates.bullmq), "events/s"),
            atLeast("carillon ÷ BullMQ", ratioTo("bullmq"), 1.15),
          ]),
    ],
    skipped: bullmq ? [] : [withoutRedis],
  };
}

/** From the first publish to the last arrival. */
export async function eventsPerSecond(
  service: Child,
  sink: Sink,
  messages: number,
  topics: number,
): Promise<number> {
  await sink.reset();
  const { begunAt } = await runLoad({
    port: service.port,
    path: publishPath("events-{n}"),
    headers: { authorization },
    body: JSON.stringify(alert),
    connections: 64,
    requests: messages,
    numbers: topics,
  });
  // Different messages: one that comes twice does not stand for another.
  const { lastAt } = await sink.until("messages", messages);
  return (messages * 1000) / (lastAt - begunAt);
}
