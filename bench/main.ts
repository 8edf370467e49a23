/**
 * `npm run bench [-- names…] [--quick] [--profile FOLDER]`: runs the benchmarks,
 * prints a table of each and writes all as JSON into `bench/results/`. Exit code
 * 1 when a bound is missed or a benchmark fails. What bounds each figure stands
 * in `docs/internals/performance.md`.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type BenchResult, type BenchRow, keepsBound } from "./result.ts";
import { benchBatch } from "./rows/batch.ts";
import { benchCarrier, benchCarrierMemory } from "./rows/carrier.ts";
import { benchComparable } from "./rows/comparable.ts";
import { benchEvents } from "./rows/events.ts";
import { benchFanOut } from "./rows/fan-out.ts";
import { benchFilter } from "./rows/filter.ts";
import { benchGateway } from "./rows/gateway.ts";
import { benchGrowth } from "./rows/growth.ts";
import { benchHanging } from "./rows/hanging.ts";
import { benchIdentity } from "./rows/identity.ts";
import { benchLatency } from "./rows/latency.ts";
import { benchMemory } from "./rows/memory.ts";
import { benchPaging } from "./rows/paging.ts";
import { benchPublish } from "./rows/publish.ts";
import { benchPullCycle, benchPullWake } from "./rows/pull.ts";
import { benchPullEmpty, benchPullIdle } from "./rows/pull-idle.ts";
import { benchPullPublish } from "./rows/pull-publish.ts";
import { benchStartup } from "./rows/startup.ts";
import { benchBulk, benchRelated } from "./rows/stored.ts";
import { benchSubscribing } from "./rows/subscribing.ts";
import { benchTopics } from "./rows/topics.ts";

interface Benchmark {
  readonly run: () => Promise<BenchResult>;
  /** A smoke run: the same on a small scale, its figures mean little. */
  readonly quick: () => Promise<BenchResult>;
}

const host = "127.0.0.1";

const benchmarks: Readonly<Record<string, Benchmark>> = {
  startup: { run: benchStartup, quick: () => benchStartup({ rounds: 3 }) },
  publish: {
    run: benchPublish,
    quick: () => benchPublish({ rounds: 2, requests: 5000 }),
  },
  events: {
    run: benchEvents,
    quick: () => benchEvents({ messages: 2000, rounds: 2, topics: 20 }),
  },
  "events-one-topic": {
    run: () => benchEvents({ topics: 1 }),
    quick: () => benchEvents({ messages: 2000, rounds: 2, topics: 1 }),
  },
  "events-hmac": {
    run: () => benchEvents({ signature: "hmac" }),
    quick: () =>
      benchEvents({
        messages: 2000,
        rounds: 2,
        topics: 20,
        signature: "hmac",
      }),
  },
  "fan-out": {
    run: benchFanOut,
    quick: () => benchFanOut({ subscribers: 2000, rounds: 2 }),
  },
  "fan-out-one-address": {
    run: () => benchFanOut({ host }),
    quick: () => benchFanOut({ subscribers: 2000, rounds: 2, host }),
  },
  latency: {
    run: benchLatency,
    quick: () => benchLatency({ messages: 200, rounds: 2, topics: 20 }),
  },
  hanging: {
    run: benchHanging,
    quick: () => benchHanging({ messages: 3, subscribers: 600, rounds: 2 }),
  },
  subscribing: {
    run: benchSubscribing,
    quick: () => benchSubscribing({ webhooks: 200, rounds: 2 }),
  },
  filter: {
    run: benchFilter,
    quick: () => benchFilter({ subscribers: 1000, rounds: 2 }),
  },
  topics: {
    run: benchTopics,
    quick: () => benchTopics({ rounds: 2, requests: 5000 }),
  },
  growth: {
    run: benchGrowth,
    quick: () => benchGrowth({ many: 20_000, messages: 2 }),
  },
  memory: {
    run: benchMemory,
    quick: () => benchMemory({ subscribers: 50_000 }),
  },
  paging: {
    run: benchPaging,
    quick: () => benchPaging({ subscribers: 20_000, pages: 20, rounds: 2 }),
  },
  carrier: {
    run: benchCarrier,
    quick: () => benchCarrier({ texts: 1000, rounds: 2 }),
  },
  "carrier-memory": {
    run: benchCarrierMemory,
    quick: () => benchCarrierMemory({ texts: 5000 }),
  },
  batch: {
    run: benchBatch,
    quick: () => benchBatch({ texts: 1000, rounds: 2 }),
  },
  bulk: {
    run: benchBulk,
    quick: () => benchBulk({ texts: 5000, rounds: 2 }),
  },
  related: {
    run: benchRelated,
    quick: () => benchRelated({ many: 100_000, rounds: 2 }),
  },
  "pull-publish": {
    run: benchPullPublish,
    quick: () => benchPullPublish({ mailboxes: 5000, rounds: 2 }),
  },
  "pull-wake": {
    run: benchPullWake,
    quick: () => benchPullWake({ waiting: 200, rounds: 2 }),
  },
  "pull-cycle": {
    run: benchPullCycle,
    quick: () => benchPullCycle({ cycles: 20, rounds: 2 }),
  },
  "pull-idle": {
    run: benchPullIdle,
    quick: () => benchPullIdle({ connections: 1000 }),
  },
  "pull-empty": {
    run: benchPullEmpty,
    quick: () => benchPullEmpty({ polls: 20_000 }),
  },
  comparable: {
    run: benchComparable,
    quick: () =>
      benchComparable({
        rounds: 1,
        seconds: 1,
        messages: 1000,
        topics: 20,
        subscribers: 1000,
      }),
  },
  identity: {
    run: benchIdentity,
    quick: () => benchIdentity({ rounds: 2, checks: 2000 }),
  },
  gateway: {
    run: benchGateway,
    quick: () =>
      benchGateway({ rounds: 2, messages: 5000, characters: 1_000_000 }),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !(name in benchmarks));
if (values.help || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no benchmark "${name}".`);
  console.log(
    `Usage: npm run bench -- [names…] [--quick] [--profile FOLDER]\nNames: ${Object.keys(benchmarks).join(", ")} (all of them by default)`,
  );
  process.exit(unknown.length > 0 ? 2 : 0);
}
if (values.profile !== undefined) {
  process.env.BENCH_PROFILE = resolve(values.profile);
}

const results: BenchResult[] = [];
const problems: string[] = [];
for (const [name, { run, quick }] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n${name} …`);
  try {
    const result = await (values.quick ? quick() : run());
    results.push(result);
    show(result);
    for (const row of result.rows) {
      if (!keepsBound(row)) problems.push(`${name}: ${row.metric} is missed`);
    }
  } catch (error) {
    // The others are measured all the same.
    console.error(error);
    problems.push(`${name} failed: ${error}`);
  }
}
keep(results, problems);
console.log(`\n${problems.join("\n") || "Every bound holds."}`);
process.exit(problems.length === 0 ? 0 : 1);

function show({ name, rows, skipped = [] }: BenchResult): void {
  console.log(name);
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.metric,
        {
          value: Number(row.value.toPrecision(4)),
          unit: row.unit,
          bound: row.bound ? `${row.bound.kind} ${row.bound.value}` : "",
          "": verdict(row),
          note: row.note ?? "",
        },
      ]),
    ),
  );
  for (const reason of skipped) console.log(`Not measured: ${reason}`);
}

function verdict(row: BenchRow): string {
  if (row.bound === undefined) return "";
  return keepsBound(row) ? "ok" : "MISSED";
}

/** Writes the results into a file of their own. */
function keep(
  results: readonly BenchResult[],
  problems: readonly string[],
): void {
  const folder = new URL("results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    encoding: "utf8",
  }).trim();
  writeFileSync(
    new URL(`${at.slice(0, 19).replaceAll(":", "")}.json`, folder),
    `${JSON.stringify(
      {
        at,
        commit,
        quick: values.quick,
        node: process.version,
        cpu: `${cpus().length} × ${cpus()[0]?.model}`,
        results,
        problems,
      },
      null,
      2,
    )}\n`,
  );
}
