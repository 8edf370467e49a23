/**
 * From spawn to ready on an empty data folder, against `node` that loads
 * Fastify and opens an empty SQLite file.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createDataFolder, startCarillon } from "../carillon.ts";
import { toChild } from "../processes.ts";
import { atMost, type BenchResult, figure } from "../result.ts";
import { alternate, median, medianRatio } from "../statistics.ts";

export async function benchStartup({ rounds = 9 } = {}): Promise<BenchResult> {
  const times = await alternate(rounds, {
    bare: startBare,
    carillon: async () => {
      await using data = await createDataFolder();
      await using carillon = await startCarillon(data.path);
      return carillon.startedInMs;
    },
  });
  return {
    name: `start to ready, empty data folder, median of ${rounds}`,
    rows: [
      figure("node + Fastify + empty SQLite", median(times.bare), "ms"),
      figure("carillon", median(times.carillon), "ms"),
      atMost("carillon ÷ bare", medianRatio(times.carillon, times.bare), 4),
    ],
  };
}

async function startBare(): Promise<number> {
  await using data = await createDataFolder();
  const script = fileURLToPath(new URL("../bare/start.mjs", import.meta.url));
  const begun = performance.now();
  const child = spawn(process.execPath, [script, data.path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await using _ = toChild(child, 0);
  await once(createInterface({ input: child.stdout }), "line");
  return performance.now() - begun;
}
