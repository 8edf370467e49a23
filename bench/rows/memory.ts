/** Resident memory while one message goes to 1,000,000 subscriptions. */

import { createDataFolder, fanOut, startCarillon } from "../carillon.ts";
import { residentMb } from "../process-account.ts";
import { atMost, type BenchResult, figure } from "../result.ts";
import { seedTopic } from "../seed.ts";
import { startSink } from "../sink.ts";

export async function benchMemory({
  subscribers = 1_000_000,
} = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await seedTopic(data.path, "million", subscribers, sink.port);
  await using carillon = await startCarillon(data.path);
  const idle = residentMb(carillon);
  let peak = idle;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMb(carillon));
  }, 50);
  const perSecond = await fanOut(carillon, "million", subscribers);
  clearInterval(sampling);
  return {
    name: `resident memory, fan-out 1 → ${subscribers.toLocaleString("en")}`,
    rows: [
      figure("idle", idle, "MB"),
      atMost("more at the peak", peak - idle, 150, "MB"),
      figure("rate", perSecond, "deliveries/s", "each commit fsynced"),
    ],
  };
}
