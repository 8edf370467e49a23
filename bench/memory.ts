/** Resident memory while one message goes to 1,000,000 subscriptions. */

import { readFileSync } from "node:fs";
import { publish, untilFannedOut } from "./api.ts";
import { startCarillon, startChild } from "./process.ts";
import { atMost, type BenchResult, figure } from "./result.ts";
import { createDataFolder, seedTopic } from "./subscriptions.ts";

export async function benchMemory({
  subscribers = 1_000_000,
} = {}): Promise<BenchResult> {
  await using sink = await startChild("sink.ts");
  await using data = await createDataFolder();
  await seedTopic(data.path, "million", endpoints(sink.port, subscribers));
  await using carillon = await startCarillon(data.path);
  const idle = residentMb(carillon.pid);
  let peak = idle;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMb(carillon.pid));
  }, 100);
  const begun = performance.now();
  const id = await publish(carillon.port, "million");
  const counts = await untilFannedOut(carillon.port, id, subscribers);
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(sampling);
  if (counts.delivered !== subscribers) {
    throw new Error(`not all were delivered: ${JSON.stringify(counts)}`);
  }
  return {
    name: `memory, fan-out 1 → ${subscribers.toLocaleString("en")}`,
    rows: [
      figure("idle", idle, "MB"),
      atMost("more at the peak", peak - idle, 150, "MB"),
      figure("rate", subscribers / seconds, "deliveries/s"),
    ],
  };
}

function* endpoints(port: number, n: number): Generator<string> {
  for (let i = 0; i < n; i++) yield `http://127.0.0.1:${port}/hook/${i}`;
}

/** From the kernel's own account of the process. */
function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}
