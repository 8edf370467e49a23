/**
 * Shows where a server's time went: functions, or packages, by their own share
 * of its main thread's busy time, in profiles that
 * `npm run bench -- … --profile FOLDER` left. The timed rounds come last, so
 * `--last` picks them.
 *
 *   node bench/profile.ts FOLDER [--last SECONDS] [--top 25] [--packages]
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

/** V8's format; microseconds. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    last: { type: "string", default: "Infinity" },
    top: { type: "string", default: "25" },
    packages: { type: "boolean", default: false },
  },
});
const folder = positionals[0] ?? ".";
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith(".cpuprofile")) continue;
  // V8 wrote it.
  const profile = JSON.parse(
    readFileSync(join(folder, file), "utf8"),
  ) as CpuProfile;
  show(file, ownTimes(profile, Number(values.last) * 1e6), Number(values.top));
}

/** Own microseconds by name, in the last `lastUs` of the profile. */
function ownTimes(
  { nodes, samples, timeDeltas }: CpuProfile,
  lastUs: number,
): Map<string, number> {
  const nameOf = values.packages ? packageOf : functionOf;
  const names = new Map(nodes.map((node) => [node.id, nameOf(node)]));
  const times = new Map<string, number>();
  let left = lastUs;
  for (let i = samples.length - 1; i >= 0 && left > 0; i--) {
    const delta = timeDeltas[i + 1] ?? 0;
    const name = names.get(samples[i] ?? 0) ?? "";
    times.set(name, (times.get(name) ?? 0) + delta);
    left -= delta;
  }
  return times;
}

/** Native functions stand for themselves. */
function packageOf(node: ProfileNode): string {
  const { url } = node.callFrame;
  const found = /(?:node_modules\/((?:@[^/]+\/)?[^/]+)|packages\/([^/]+))/.exec(
    url,
  );
  const builtIn = /^node:(internal\/modules|internal\/crypto|)/.exec(url);
  return (
    found?.[1] ??
    found?.[2] ??
    (builtIn ? `node:${builtIn[1]}` : functionOf(node))
  );
}

function functionOf({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame;
  const file = url.replace(/^.*\/(packages|node_modules)\//, "");
  const place = url === "" ? "" : ` ${file}:${lineNumber + 1}`;
  return `${functionName || "(anonymous)"}${place}`;
}

function show(file: string, times: Map<string, number>, top: number): void {
  const total = sum(times.values());
  const idle = times.get("(idle)") ?? 0;
  times.delete("(idle)");
  const busy = total - idle;
  const percent = (part: number, whole: number) =>
    `${((part * 100) / whole).toFixed(1).padStart(5)} %`;
  console.log(
    `\n${file}: ${(total / 1e6).toFixed(1)} s,${percent(busy, total)} busy; of that`,
  );
  const sorted = [...times].toSorted(([, a], [, b]) => b - a);
  for (const [name, time] of sorted.slice(0, top)) {
    console.log(`${percent(time, busy)}  ${name}`);
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
