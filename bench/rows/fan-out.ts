/**
 * One message to 50,000 webhooks, ledger written, against bare undici POSTs to
 * the same sink and against BullMQ on Redis: to as many endpoints of 1,000
 * addresses, and to as many of one.
 */

import type { PostsQuestion } from "../bare/posts.ts";
import {
  createDataFolder,
  createTopic,
  fanOut,
  startCarillon,
} from "../carillon.ts";
import { ProcessorMeter, processorTime } from "../process-account.ts";
import { type Program, startProgram } from "../processes.ts";
import { startRedis, withoutRedis } from "../redis.ts";
import { atLeast, type BenchResult, type BenchRow, figure } from "../result.ts";
import { startSink } from "../sink.ts";
import { alternate, median, medianRatio } from "../statistics.ts";
import { subscribeAll } from "../subscribe.ts";

export interface FanOutOptions {
  readonly subscribers?: number;
  readonly rounds?: number;
  /** Only one address: `127.0.0.1`. Default: all receivers' addresses. */
  readonly host?: string;
}

export async function benchFanOut({
  subscribers = 50_000,
  rounds = 5,
  host,
}: FanOutOptions = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await using redis = await startRedis();
  await using bare = await startProgram("bare/posts.ts");
  await using bullmq =
    redis &&
    (await startProgram("bare/bullmq-posts.ts", { redisPort: redis.port }));
  await createTopic(carillon, "fan-out");
  await subscribeAll(carillon, sink, {
    topic: "fan-out",
    count: subscribers,
    ...(host !== undefined && { host }),
  });

  /** Each round's deliveries are counted by the receiver too. */
  const counted = (run: () => Promise<number>) => async () => {
    await sink.reset();
    const perSecond = await run();
    const { deliveries } = await sink.until("deliveries", subscribers);
    if (deliveries === subscribers) return perSecond;
    throw new Error(`${deliveries} of ${subscribers} deliveries arrived`);
  };
  const posts = (rival: Program) =>
    counted(async () => {
      const question: PostsQuestion = {
        port: sink.port,
        posts: subscribers,
        host,
      };
      const { seconds } = await rival.ask<{ seconds: number }>(question);
      return subscribers / seconds;
    });
  const meters = { bare: new ProcessorMeter(), carillon: new ProcessorMeter() };
  const rates = await alternate(rounds, {
    bare: () => meters.bare.measure(bare, subscribers, posts(bare)),
    carillon: () =>
      meters.carillon.measure(
        carillon,
        subscribers,
        counted(() => fanOut(carillon, "fan-out", subscribers)),
      ),
    ...(bullmq && { bullmq: posts(bullmq) }),
  });
  const shown = subscribers.toLocaleString("en");
  return {
    name: `fan-out 1 → ${shown} http, ${host === undefined ? "1,000 addresses" : "one address"}`,
    rows: [
      ...rowsOf(rates),
      processorTime("bare undici", meters.bare, "delivery"),
      processorTime("carillon", meters.carillon, "delivery"),
    ],
    ...(!bullmq && { skipped: [withoutRedis] }),
  };
}

function rowsOf(rates: Awaited<ReturnType<typeof alternate>>): BenchRow[] {
  const { bare, carillon, bullmq } = rates;
  return [
    figure("bare undici", median(bare), "POST/s"),
    figure("carillon", median(carillon), "deliveries/s", "each commit fsynced"),
    atLeast("carillon ÷ bare undici", medianRatio(carillon, bare), 0.8),
    ...(bullmq === undefined
      ? []
      : [
          figure("BullMQ + Redis", median(bullmq), "jobs/s", "no fsync"),
          atLeast("carillon ÷ BullMQ", medianRatio(carillon, bullmq), 3),
        ]),
  ];
}
