/**
 * Creating topics (each a new one) and listing them against bare Fastify with
 * the same bodies. Nothing changes while they are listed, so the page is a
 * cached one; after a write it is read anew.
 */

import {
  authorization,
  call,
  createDataFolder,
  startCarillon,
  topicsPath,
} from "../carillon.ts";
import { type LoadRequest, runLoad } from "../load.ts";
import { ProcessorMeter, processorTime } from "../process-account.ts";
import { type Child, startProgram } from "../processes.ts";
import { atLeast, type BenchResult, type BenchRow, figure } from "../result.ts";
import { alternate, median, medianRatio } from "../statistics.ts";
import { createTopics } from "../subscribe.ts";

type Load = Pick<LoadRequest, "method" | "path" | "body">;

export async function benchTopics({
  rounds = 5,
  requests = 60_000,
} = {}): Promise<BenchResult> {
  await using echo = await startProgram("bare/echo.ts");
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await createTopics(carillon, "topic-{n}", 20);
  let firstNumber = 0;
  const run = async ({ port }: Child, load: Load) => {
    const { perSecond } = await runLoad({
      ...load,
      port,
      headers: { authorization },
      connections: 64,
      requests,
      firstNumber,
    });
    firstNumber += requests;
    return perSecond;
  };
  /** The same load on both. */
  async function compare(what: string, load: Load): Promise<BenchRow[]> {
    const meters = {
      bare: new ProcessorMeter(),
      carillon: new ProcessorMeter(),
    };
    const rates = await alternate(rounds, {
      bare: () =>
        meters.bare.measure(echo, requests, () =>
          run(echo, { ...load, path: "/echo" }),
        ),
      carillon: () =>
        meters.carillon.measure(carillon, requests, () => run(carillon, load)),
    });
    return [
      figure(`${what}: bare Fastify`, median(rates.bare), "requests/s"),
      figure(`${what}: carillon`, median(rates.carillon), "requests/s"),
      atLeast(
        `${what}: carillon ÷ bare`,
        medianRatio(rates.carillon, rates.bare),
        0.5,
      ),
      processorTime(`${what}: bare Fastify`, meters.bare, "request"),
      processorTime(`${what}: carillon`, meters.carillon, "request"),
    ];
  }
  const creating = await compare("create", {
    method: "POST",
    path: topicsPath,
    body: JSON.stringify({ name: "new-{n}", display_name: "New" }),
  });
  const list = `${topicsPath}?offset=0&limit=20`;
  // The bare server answers a GET with what it was last sent: the page.
  const page = await call(carillon, "GET", list);
  await call(echo, "POST", "/echo", page);
  const listing = await compare("list 20, unchanged", {
    method: "GET",
    path: list,
    body: "",
  });
  return {
    name: "topics, 64 connections",
    rows: [...creating, ...listing],
  };
}
