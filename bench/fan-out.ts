/**
 * One message to 50,000 webhooks, ledger written, against bare undici POSTs to
 * the same sink and against BullMQ on Redis where `redis-server` is installed.
 */

import { spawn, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { publish, untilFannedOut } from "./api.ts";
import { output, startCarillon, startChild } from "./process.ts";
import { alternate, atLeast, type BenchResult, figure } from "./result.ts";
import { createDataFolder, seedTopic } from "./subscriptions.ts";

export async function benchFanOut({
  subscribers = 50_000,
  rounds = 5,
  concurrency = 128,
} = {}): Promise<BenchResult> {
  await using sink = await startChild("sink.ts");
  await using data = await createDataFolder();
  await seedTopic(
    data.path,
    "fan-out",
    Array.from(
      { length: subscribers },
      (_, i) => `http://127.0.0.1:${sink.port}/hook/${i}`,
    ),
  );
  await using carillon = await startCarillon(data.path);
  const redis = await startRedis();
  const perSecond = async (seconds: Promise<number>) =>
    subscribers / (await seconds);
  const rival = (script: string, ...more: number[]) =>
    perSecond(
      output(
        script,
        [sink.port, subscribers, concurrency, ...more].map(String),
      ).then(Number),
    );
  const contenders: Record<string, () => Promise<number>> = {
    bare: () => rival("bare-posts.ts"),
    carillon: () => perSecond(fanOutOnce(carillon.port, subscribers)),
  };
  if (redis) contenders.bullmq = () => rival("bullmq-posts.ts", redis.port);
  const rates = await alternate(rounds, contenders);
  redis?.stop();
  const { bare = 0, carillon: ours = 0, bullmq } = rates;
  return {
    name: `fan-out 1 → ${subscribers.toLocaleString("en")} http`,
    rows: [
      figure("bare undici", bare, "POST/s"),
      figure("carillon", ours, "deliveries/s"),
      atLeast("carillon ÷ bare undici", ours / bare, 0.7),
      ...(bullmq === undefined
        ? []
        : [
            figure("BullMQ + Redis", bullmq, "jobs/s"),
            atLeast("carillon ÷ BullMQ", ours / bullmq, 3),
          ]),
    ],
  };
}

async function fanOutOnce(port: number, subscribers: number): Promise<number> {
  const begun = performance.now();
  const counts = await untilFannedOut(
    port,
    await publish(port, "fan-out"),
    subscribers,
  );
  const seconds = (performance.now() - begun) / 1000;
  if (counts.delivered !== subscribers) {
    throw new Error(`not all were delivered: ${JSON.stringify(counts)}`);
  }
  return seconds;
}

/** A Redis of our own with its defaults; `undefined` where none is installed. */
async function startRedis(): Promise<
  { port: number; stop: () => void } | undefined
> {
  if (spawnSync("redis-server", ["--version"]).error) return undefined;
  const port = 16_379;
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--save", "", "--bind", "127.0.0.1"],
    { stdio: "ignore" },
  );
  while (!(await canConnect(port))) {
    if (child.exitCode !== null) throw new Error("redis-server did not start");
  }
  return { port, stop: () => child.kill() };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
}
