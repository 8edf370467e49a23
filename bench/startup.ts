/** From spawn to ready on an empty data folder. */

import { startCarillon } from "./process.ts";
import { atMost, type BenchResult, median } from "./result.ts";
import { createDataFolder } from "./subscriptions.ts";

export async function benchStartup({ rounds = 7 } = {}): Promise<BenchResult> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using data = await createDataFolder();
    await using carillon = await startCarillon(data.path);
    times.push(carillon.startedInMs / 1000);
  }
  return {
    name: "start to ready, empty data folder",
    rows: [atMost("median", median(times), 1, "s")],
  };
}
