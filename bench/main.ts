/**
 * `npm run bench [-- names…] [--quick]`: runs the benchmarks, prints a table and
 * writes it as JSON into `bench/results/`.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchFanOut } from "./fan-out.ts";
import { benchFilter } from "./filter.ts";
import { benchGateway } from "./gateway.ts";
import { benchIdentity } from "./identity.ts";
import { benchLatency } from "./latency.ts";
import { benchMemory } from "./memory.ts";
import { benchPaging } from "./paging.ts";
import { benchPublish } from "./publish.ts";
import type { BenchResult } from "./result.ts";
import { benchStartup } from "./startup.ts";
import { benchTopics } from "./topics.ts";

interface Benchmark {
  readonly run: () => Promise<BenchResult>;
  readonly quick: () => Promise<BenchResult>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  startup: { run: benchStartup, quick: () => benchStartup({ rounds: 3 }) },
  latency: { run: benchLatency, quick: () => benchLatency({ messages: 100 }) },
  identity: {
    run: benchIdentity,
    quick: () => benchIdentity({ rounds: 3, checks: 5000 }),
  },
  publish: {
    run: benchPublish,
    quick: () => benchPublish({ rounds: 2, seconds: 2 }),
  },
  topics: {
    run: benchTopics,
    quick: () => benchTopics({ rounds: 2, seconds: 2 }),
  },
  "fan-out": {
    run: benchFanOut,
    quick: () => benchFanOut({ subscribers: 10_000, rounds: 2 }),
  },
  filter: {
    run: benchFilter,
    quick: () => benchFilter({ subscribers: 10_000, rounds: 2 }),
  },
  gateway: {
    run: benchGateway,
    quick: () => benchGateway({ rounds: 3 }),
  },
  paging: {
    run: benchPaging,
    quick: () => benchPaging({ subscribers: 100_000, pages: 50 }),
  },
  memory: {
    run: benchMemory,
    quick: () => benchMemory({ subscribers: 100_000 }),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !(name in benchmarks));
if (values.help || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no benchmark "${name}".`);
  console.log(
    `Usage: npm run bench -- [names…] [--quick]\nNames: ${Object.keys(benchmarks).join(", ")} (all of them by default)`,
  );
  process.exit(unknown.length > 0 ? 2 : 0);
}

const results: BenchResult[] = [];
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n${name} …`);
  const result = await (values.quick ? benchmark.quick() : benchmark.run());
  results.push(result);
  console.log(result.name);
  console.table(
    Object.fromEntries(
      result.rows.map(({ metric, value, unit, target, ok }) => [
        metric,
        {
          value: Number(value.toPrecision(4)),
          unit,
          "at least": target,
          "": target === "" ? "" : ok ? "ok" : "MISSED",
        },
      ]),
    ),
  );
}

const git = (...args: string[]) =>
  execFileSync("git", args, { encoding: "utf8" }).trim();
const folder = new URL("results/", import.meta.url);
mkdirSync(folder, { recursive: true });
const at = new Date().toISOString();
const file = new URL(`${at.slice(0, 19).replaceAll(":", "")}.json`, folder);
writeFileSync(
  file,
  `${JSON.stringify(
    {
      at,
      commit: git("rev-parse", "--short", "HEAD"),
      quick: values.quick,
      node: process.version,
      cpu: `${cpus().length} × ${cpus()[0]?.model}`,
      results,
    },
    null,
    2,
  )}\n`,
);
const missed = results.flatMap(({ rows }) => rows.filter(({ ok }) => !ok));
console.log(
  missed.length === 0
    ? "\nEvery bound holds."
    : `\n${missed.length} missed: ${missed.map(({ metric }) => metric).join(", ")}`,
);
process.exit(missed.length === 0 ? 0 : 1);
