/** Publishes accepted per second against bare Fastify echoing the same JSON. */

import {
  alert,
  authorization,
  createDataFolder,
  createTopic,
  publishPath,
  startCarillon,
} from "../carillon.ts";
import { runLoad } from "../load.ts";
import { ProcessorMeter, processorTime } from "../process-account.ts";
import { type Child, startProgram } from "../processes.ts";
import { atLeast, type BenchResult, figure } from "../result.ts";
import { alternate, median, medianRatio } from "../statistics.ts";

export async function benchPublish({
  rounds = 7,
  requests = 60_000,
} = {}): Promise<BenchResult> {
  await using echo = await startProgram("bare/echo.ts");
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await createTopic(carillon, "quiet");
  const meters = { bare: new ProcessorMeter(), carillon: new ProcessorMeter() };
  const run = (server: Child, path: string) => async () => {
    const { perSecond } = await runLoad({
      port: server.port,
      path,
      headers: { authorization },
      body: JSON.stringify({ ...alert, time_to_live: "3600" }),
      connections: 64,
      requests,
    });
    return perSecond;
  };
  const rates = await alternate(rounds, {
    bare: () => meters.bare.measure(echo, requests, run(echo, "/echo")),
    carillon: () =>
      meters.carillon.measure(
        carillon,
        requests,
        run(carillon, publishPath("quiet")),
      ),
  });
  return {
    name: "publish accepted, 64 connections",
    rows: [
      figure("bare Fastify echo", median(rates.bare), "requests/s"),
      figure("carillon", median(rates.carillon), "publishes/s", "fsync"),
      atLeast(
        "carillon ÷ bare Fastify",
        medianRatio(rates.carillon, rates.bare),
        0.5,
      ),
      processorTime("bare Fastify", meters.bare, "request"),
      processorTime("carillon", meters.carillon, "publish"),
    ],
  };
}
