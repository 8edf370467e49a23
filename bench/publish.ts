/** Publishes accepted per second against bare Fastify echoing the same JSON. */

import {
  authorization,
  runLoad,
  startCarillon,
  startChild,
} from "./process.ts";
import { alternate, atLeast, type BenchResult, figure } from "./result.ts";
import { createDataFolder, publishPath, seedTopic } from "./subscriptions.ts";

export async function benchPublish({
  rounds = 5,
  seconds = 4,
} = {}): Promise<BenchResult> {
  await using echo = await startChild("bare-echo.ts");
  await using data = await createDataFolder();
  await seedTopic(data.path, "quiet", []);
  await using carillon = await startCarillon(data.path);
  const load = {
    body: JSON.stringify({
      subject: "Disk",
      message: "Disk sda on db1 is 91 % full",
      time_to_live: "3600",
    }),
    connections: 64,
    seconds,
  };
  const run = async (port: number, path: string) => {
    const result = await runLoad({
      ...load,
      port,
      path,
      headers: { authorization },
    });
    if (result.notOk > 0)
      throw new Error(`${result.notOk} answers were no 2xx`);
    return result.perSecond;
  };
  const rates = await alternate(rounds, {
    bare: () => run(echo.port, "/echo"),
    carillon: () => run(carillon.port, publishPath("quiet")),
  });
  const { bare = 0, carillon: ours = 0 } = rates;
  return {
    name: "publish accepted, 64 connections",
    rows: [
      figure("bare Fastify echo", bare, "requests/s"),
      figure("carillon, each on disk", ours, "publishes/s"),
      atLeast("carillon ÷ bare Fastify", ours / bare, 0.5),
    ],
  };
}
