/**
 * Subscribing 5,000 webhooks over 16 connections until all are confirmed,
 * against the same requests to a bare Fastify that makes one POST for each.
 */

import { createDataFolder, createTopic, startCarillon } from "../carillon.ts";
import { startProgram } from "../processes.ts";
import { atLeast, type BenchResult, figure } from "../result.ts";
import { startSink } from "../sink.ts";
import { alternate, median, medianRatio } from "../statistics.ts";
import { subscribeAll } from "../subscribe.ts";

export async function benchSubscribing({
  webhooks = 5000,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await using bare = await startProgram("bare/subscribing.ts");
  let topics = 0;
  const rates = await alternate(rounds, {
    bare: () =>
      subscribeAll(bare, sink, { topic: "webhooks", count: webhooks }),
    carillon: async () => {
      const topic = `webhooks-${topics++}`;
      await createTopic(carillon, topic);
      return subscribeAll(carillon, sink, { topic, count: webhooks });
    },
  });
  return {
    name: `subscribing and confirming ${webhooks.toLocaleString("en")} webhooks, 16 connections`,
    rows: [
      figure(
        "bare Fastify + one POST",
        median(rates.bare),
        "webhooks/s",
        "unsigned, nothing kept",
      ),
      figure("carillon", median(rates.carillon), "webhooks/s", "fsync"),
      atLeast(
        "carillon ÷ bare Fastify",
        medianRatio(rates.carillon, rates.bare),
        0.3,
      ),
    ],
  };
}
