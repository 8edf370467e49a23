/**
 * A topic with 1,000 subscribers one of whom hangs for 30 s: how long after
 * their publish messages arrive at the other 999, against the same with the
 * one answering at once.
 */

import {
  alert,
  authorization,
  createDataFolder,
  createTopic,
  publishPath,
  startCarillon,
  untilFannedOut,
} from "../carillon.ts";
import { runLoad } from "../load.ts";
import type { Child } from "../processes.ts";
import { atMost, type BenchResult, figure } from "../result.ts";
import { type Sink, startSink } from "../sink.ts";
import { alternate, median, medianRatio, quantile } from "../statistics.ts";
import { subscribeAll } from "../subscribe.ts";

const hangingPath = "/hook/500";
const hang = { path: hangingPath, ms: 30_000 };

export async function benchHanging({
  messages = 10,
  subscribers = 1000,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await createTopic(carillon, "neighbours");
  await subscribeAll(carillon, sink, {
    topic: "neighbours",
    count: subscribers,
  });

  const healthyP99 = (hanging: boolean) => async () => {
    await sink.reset({ record: true, ...(hanging && { hang }) });
    const latencies = await healthyLatencies(
      carillon,
      sink,
      messages,
      subscribers,
    );
    if (latencies.length !== messages * (subscribers - 1)) {
      throw new Error(`${latencies.length} healthy deliveries arrived`);
    }
    return quantile(latencies, 0.99);
  };
  const p99 = await alternate(rounds, {
    without: healthyP99(false),
    hanging: healthyP99(true),
  });
  return {
    name: `one endpoint of ${subscribers.toLocaleString("en")} hangs 30 s, ${messages} messages a round`,
    rows: [
      figure("healthy p99, nobody hangs", median(p99.without), "ms"),
      figure("healthy p99, one hangs", median(p99.hanging), "ms"),
      atMost(
        "healthy p99, one hangs ÷ nobody",
        medianRatio(p99.hanging, p99.without),
        1.2,
      ),
    ],
  };
}

/** A message each second; those of earlier rounds that are late do not count. */
async function healthyLatencies(
  carillon: Child,
  sink: Sink,
  messages: number,
  subscribers: number,
): Promise<number[]> {
  const { sentAt, messageIds } = await runLoad({
    port: carillon.port,
    path: publishPath("neighbours"),
    headers: { authorization },
    body: JSON.stringify(alert),
    connections: 1,
    requests: messages,
    intervalMs: 1000,
    record: true,
  });
  const sent = new Map(messageIds.map((id, n) => [id, sentAt[n]]));
  for (const id of messageIds) {
    await untilFannedOut(carillon, id, subscribers);
  }
  const latencies: number[] = [];
  for (const { messageId, path, at } of await sink.arrivals()) {
    const begunAt = sent.get(messageId);
    if (begunAt === undefined || path === hangingPath) continue;
    latencies.push(at - begunAt);
  }
  return latencies;
}
