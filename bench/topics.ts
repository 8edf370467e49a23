/**
 * Creating topics (each a new one) and listing them against bare Fastify with
 * the same bodies. Nothing changes while they are listed, so the page is a
 * remembered one; after a write it is read anew.
 */

import {
  authorization,
  runLoad,
  startCarillon,
  startChild,
} from "./process.ts";
import { alternate, atLeast, type BenchResult, figure } from "./result.ts";
import { createDataFolder, seedTopic, topicsPath } from "./subscriptions.ts";

export async function benchTopics({
  rounds = 3,
  seconds = 3,
} = {}): Promise<BenchResult> {
  await using echo = await startChild("bare-echo.ts");
  await using data = await createDataFolder();
  for (let i = 0; i < 20; i++) await seedTopic(data.path, `topic-${i}`, []);
  await using carillon = await startCarillon(data.path, [
    "--topics-per-project",
    "1000000",
  ]);
  const list = `${topicsPath}?offset=0&limit=20`;
  const response = await fetch(`http://127.0.0.1:${carillon.port}${list}`, {
    headers: { authorization },
  });
  const listed = await response.text();
  const created = JSON.stringify({ name: "new-########", display_name: "New" });
  const run = async (
    port: number,
    method: "GET" | "POST",
    path: string,
    body: string,
  ) => {
    const result = await runLoad({
      port,
      method,
      path,
      body,
      headers: { authorization },
      connections: 64,
      seconds,
    });
    if (result.notOk > 0)
      throw new Error(`${result.notOk} answers were no 2xx`);
    return result.perSecond;
  };
  const creating = await alternate(rounds, {
    bare: () => run(echo.port, "POST", "/echo", created),
    carillon: () => run(carillon.port, "POST", topicsPath, created),
  });
  // The bare server now answers a GET with the page.
  await fetch(`http://127.0.0.1:${echo.port}/echo`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: listed,
  });
  const listing = await alternate(rounds, {
    bare: () => run(echo.port, "GET", "/echo", ""),
    carillon: () => run(carillon.port, "GET", list, ""),
  });
  return {
    name: "topics, 64 connections",
    rows: [
      ...rowsOf("create", creating),
      ...rowsOf("list 20, unchanged", listing),
    ],
  };
}

function rowsOf(what: string, rates: Readonly<Record<string, number>>) {
  const { bare = 0, carillon = 0 } = rates;
  return [
    figure(`${what}: bare Fastify`, bare, "requests/s"),
    figure(`${what}: carillon`, carillon, "requests/s"),
    atLeast(`${what}: carillon ÷ bare`, carillon / bare, 0.5),
  ];
}
