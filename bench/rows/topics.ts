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
import { runLoad } from "../load.ts";
import { startProgram } from "../processes.ts";
import { atLeast, type BenchResult, type BenchRow, figure } from "../result.ts";
import { alternate, median, medianRatio, type Rounds } from "../statistics.ts";
import { createTopics } from "../subscribe.ts";

export async function benchTopics({
  rounds = 5,
  seconds = 3,
} = {}): Promise<BenchResult> {
  await using echo = await startProgram("bare/echo.ts");
  await using data = await createDataFolder();
  await using carillon = await startCarillon(data.path);
  await createTopics(carillon, "topic-{n}", 20);
  let firstNumber = 0;
  const run =
    (port: number, method: "GET" | "POST", path: string, body: string) =>
    async () => {
      const { perSecond, answers } = await runLoad({
        port,
        method,
        path,
        body,
        headers: { authorization },
        connections: 64,
        seconds,
        firstNumber,
      });
      firstNumber += answers + 64;
      return perSecond;
    };
  const created = JSON.stringify({ name: "new-{n}", display_name: "New" });
  const creating = await alternate(rounds, {
    bare: run(echo.port, "POST", "/echo", created),
    carillon: run(carillon.port, "POST", topicsPath, created),
  });
  const list = `${topicsPath}?offset=0&limit=20`;
  // The bare server answers a GET with what it was last sent: the page.
  const page = await call(carillon, "GET", list);
  await call(echo, "POST", "/echo", page);
  const listing = await alternate(rounds, {
    bare: run(echo.port, "GET", "/echo", ""),
    carillon: run(carillon.port, "GET", list, ""),
  });
  return {
    name: "topics, 64 connections",
    rows: [
      ...rowsOf("create", creating),
      ...rowsOf("list 20, unchanged", listing),
    ],
  };
}

function rowsOf(what: string, { bare, carillon }: Rounds): BenchRow[] {
  return [
    figure(`${what}: bare Fastify`, median(bare), "requests/s"),
    figure(`${what}: carillon`, median(carillon), "requests/s"),
    atLeast(`${what}: carillon ÷ bare`, medianRatio(carillon, bare), 0.5),
  ];
}
