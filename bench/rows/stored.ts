/**
 * Stored messages: a bulk against the same rows inserted by plain SQL, and the texts
 * of one related object among millions against the same among thousands.
 */

import type { StoredQuestion } from "../parts/stored.ts";
import { startProgram } from "../processes.ts";
import { atLeast, atMost, type BenchResult, figure } from "../result.ts";
import { alternate, median, medianRatio } from "../statistics.ts";

export async function benchBulk({
  texts = 100_000,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using program = await startProgram("parts/stored.ts");
  const rateOf = (kind: "bulk" | "bare") => async () => {
    const question: StoredQuestion = { kind, count: texts };
    const { seconds } = await program.ask<{ seconds: number }>(question);
    return texts / seconds;
  };
  const rates = await alternate(rounds, {
    bare: rateOf("bare"),
    carillon: rateOf("bulk"),
  });
  return {
    name: `sendBulk of ${texts.toLocaleString("en")} stored texts`,
    rows: [
      figure("bare bulk insert", median(rates.bare), "texts/s", "fsync"),
      figure("carillon", median(rates.carillon), "texts/s", "fsync"),
      atLeast(
        "carillon ÷ bare bulk insert",
        medianRatio(rates.carillon, rates.bare),
        0.5,
      ),
    ],
  };
}

export async function benchRelated({
  many = 5_000_000,
  few = 5000,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using program = await startProgram("parts/stored.ts");
  for (const count of [few, many]) {
    await program.ask({ kind: "seed", count } satisfies StoredQuestion);
  }
  const timeOf = (count: number) => async () => {
    const question: StoredQuestion = { kind: "list", count };
    return (await program.ask<{ ms: number }>(question)).ms;
  };
  const times = await alternate(rounds, {
    few: timeOf(few),
    many: timeOf(many),
  });
  return {
    name: "a page of 20 stored texts about an object",
    rows: [
      figure(`among ${few.toLocaleString("en")}`, median(times.few), "ms"),
      figure(`among ${many.toLocaleString("en")}`, median(times.many), "ms"),
      atMost("many ÷ few", medianRatio(times.many, times.few), 3),
    ],
  };
}
