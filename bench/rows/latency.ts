/**
 * From the first byte of a publish to the first byte at its subscriber, one
 * message at a time on an otherwise idle server, against the bare pipeline.
 */

import {
  alert,
  authorization,
  createDataFolder,
  publishPath,
  startCarillon,
} from "../carillon.ts";
import { runLoad } from "../load.ts";
import { type Child, startProgram } from "../processes.ts";
import { atMost, type BenchResult, figure } from "../result.ts";
import { type Sink, startSink } from "../sink.ts";
import { alternate, median, medianRatio, quantile } from "../statistics.ts";
import { createTopics, subscribeAll } from "../subscribe.ts";

export async function benchLatency({
  messages = 10_000,
  rounds = 5,
  topics = 1000,
} = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await using bare = await startProgram("bare/pipeline.ts", {
    sinkPort: sink.port,
  });
  await createTopics(carillon, "idle-{n}", topics);
  await subscribeAll(carillon, sink, { topic: "idle-{n}", count: topics });

  const medians: Record<string, number[]> = { bare: [], carillon: [] };
  const p99Of = (name: string, service: Child) => async () => {
    const latencies = await publishOneByOne(service, sink, messages, topics);
    medians[name]?.push(quantile(latencies, 0.5));
    return quantile(latencies, 0.99);
  };
  const p99 = await alternate(rounds, {
    bare: p99Of("bare", bare),
    carillon: p99Of("carillon", carillon),
  });
  return {
    name: `publish to first byte at the subscriber, idle, ${messages.toLocaleString("en")} messages a round to 1,000 addresses`,
    rows: [
      figure("bare pipeline, median", median(medians.bare), "ms"),
      figure("bare pipeline, p99", median(p99.bare), "ms"),
      figure("carillon, median", median(medians.carillon), "ms", "fsync"),
      figure("carillon, p99", median(p99.carillon), "ms", "fsync"),
      atMost(
        "p99, carillon ÷ bare pipeline",
        medianRatio(p99.carillon, p99.bare),
        3,
      ),
    ],
  };
}

async function publishOneByOne(
  service: Child,
  sink: Sink,
  messages: number,
  topics: number,
): Promise<number[]> {
  await sink.reset({ record: true });
  const { sentAt } = await runLoad({
    port: service.port,
    path: publishPath("idle-{n}"),
    headers: { authorization },
    body: JSON.stringify(alert),
    connections: 1,
    requests: messages,
    numbers: topics,
    record: true,
    awaitArrivals: { port: sink.port },
  });
  const arrivals = await sink.arrivals();
  if (arrivals.length !== messages) {
    throw new Error(`${arrivals.length} of ${messages} messages arrived`);
  }
  // One at a time: the n-th to arrive is the n-th that was sent.
  return arrivals.map(({ at }, n) => at - (sentAt[n] ?? Number.NaN));
}
