/**
 * Whether a delivery costs the same however many there are: processor time for
 * each delivery of a topic of 1,000 and of one of 1,000,000, and of both again
 * once the ledger has 5,000,000 rows.
 */

import { createDataFolder, fanOut, startCarillon } from "../carillon.ts";
import { ProcessorMeter } from "../process-account.ts";
import { atMost, type BenchResult, figure } from "../result.ts";
import { seedTopic } from "../seed.ts";
import { startSink } from "../sink.ts";
import { median } from "../statistics.ts";

export async function benchGrowth({
  few = 1000,
  many = 1_000_000,
  messages = 5,
} = {}): Promise<BenchResult> {
  await using sink = await startSink();
  await using data = await createDataFolder();
  await seedTopic(data.path, "few", few, sink.port);
  await seedTopic(data.path, "many", many, sink.port);
  await using carillon = await startCarillon(data.path);

  /** Processor time for each delivery of so many messages, in microseconds. */
  async function costOf(topic: "few" | "many", times: number) {
    const subscribers = topic === "few" ? few : many;
    const meter = new ProcessorMeter();
    await meter.measure(carillon, times * subscribers, async () => {
      let perSecond = 0;
      for (let n = 0; n < times; n++) {
        perSecond = await fanOut(carillon, topic, subscribers);
      }
      process.stderr.write(`  ${topic}: ${Math.round(perSecond)} a second\n`);
      return perSecond;
    });
    return median(meter.perUnit);
  }
  // As many deliveries as make the account of the kernel exact.
  const repeats = Math.max(1, Math.round(50_000 / few));
  await costOf("few", repeats);
  const fewBefore = await costOf("few", repeats);
  const costs: number[] = [];
  for (let n = 0; n < messages; n++) costs.push(await costOf("many", 1));
  const fewAfter = await costOf("few", repeats);

  const [first = Number.NaN] = costs;
  const last = costs.at(-1) ?? Number.NaN;
  const rows = (many * messages).toLocaleString("en");
  const shown = many.toLocaleString("en");
  return {
    name: `cost of a delivery, ${few.toLocaleString("en")} and ${shown} subscriptions`,
    rows: [
      figure(`1 of ${few.toLocaleString("en")}`, fewBefore, "µs"),
      figure(`1 of ${shown}`, first, "µs"),
      atMost(`1 of ${shown} ÷ 1 of few`, first / fewBefore, 1.25),
      atMost(`the same with ${rows} in the ledger`, last / first, 1.25),
      atMost(`1 of few, with them ÷ before`, fewAfter / fewBefore, 1.25),
    ],
  };
}
