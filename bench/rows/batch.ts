/**
 * Texts that batch mode stored, sent in one run through a carrier 10 ms away on 50
 * connections, against the same requests made by undici alone whose outcomes are
 * written to rows.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BatchQuestion } from "../bare/batch.ts";
import { call, createDataFolder, startCarillon } from "../carillon.ts";
import { carrierProvider, startCarrier } from "../carrier.ts";
import { startProgram } from "../processes.ts";
import { atLeast, type BenchResult, figure } from "../result.ts";
import { seedBatchedTexts } from "../seed.ts";
import { alternate, median, medianRatio } from "../statistics.ts";

export interface BatchBenchOptions {
  /** Of each round; at most as many as one run takes. Default 5000. */
  readonly texts?: number;
  readonly rounds?: number;
}

const connections = 50;
const answerMs = 10;

export async function benchBatch({
  texts = 5000,
  rounds = 5,
}: BatchBenchOptions = {}): Promise<BenchResult> {
  await using carrier = await startCarrier({ answerMs });
  await using data = await createDataFolder();
  // A round more, which warms up.
  await seedBatchedTexts(data.path, texts * (rounds + 1));
  const file = join(data.path, "bench.json");
  const sms = {
    providers: [carrierProvider(carrier)],
    batch: { enabled: true },
  };
  writeFileSync(file, JSON.stringify({ sms }));
  const window = ["--max-in-flight", String(connections)];
  await using carillon = await startCarillon(data.path, [
    "--config",
    file,
    ...window,
  ]);
  await using bare = await startProgram("bare/batch.ts");
  const rates = await alternate(rounds, {
    bare: async () => {
      await carrier.reset();
      const question: BatchQuestion = {
        port: carrier.port,
        texts,
        connections,
      };
      const { seconds } = await bare.ask<{ seconds: number }>(question);
      return texts / seconds;
    },
    carillon: async () => {
      await carrier.reset();
      const begun = performance.now();
      const { sent } = await call<{ sent: readonly string[] }>(
        carillon,
        "POST",
        "/api/v2/sms/batch-runs",
        { limit: texts },
      );
      const seconds = (performance.now() - begun) / 1000;
      const { different } = await carrier.state();
      if (sent.length !== texts || different !== texts) {
        throw new Error(
          `${sent.length} sent, ${different} of ${texts} arrived`,
        );
      }
      return texts / seconds;
    },
  });
  return {
    name: `a batch of ${texts.toLocaleString("en")} stored texts through a carrier ${answerMs} ms away, ${connections} connections`,
    rows: [
      figure(
        "bare undici, rows updated",
        median(rates.bare),
        "texts/s",
        "fsync",
      ),
      figure("carillon", median(rates.carillon), "texts/s", "fsync"),
      atLeast(
        "carillon ÷ bare undici",
        medianRatio(rates.carillon, rates.bare),
        0.3,
      ),
    ],
  };
}
