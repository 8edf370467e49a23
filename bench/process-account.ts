/** What the kernel says that a process used: memory, disk, processor time. */

import { readFileSync } from "node:fs";
import type { Child } from "./processes.ts";
import { type BenchRow, figure } from "./result.ts";
import { median } from "./statistics.ts";

/** Resident memory in MB. */
export function residentMb({ pid }: Child): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Bytes that the process had the kernel write to disk since its start. */
export function bytesWritten({ pid }: Child): number {
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  return Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? Number.NaN);
}

/** The kernel counts processor time in hundredths of a second. */
const tickUs = 10_000;

/** Processor time of all its threads since its start, in microseconds. */
function processorUs({ pid }: Child): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Behind the name, which may have spaces in it: user and system time.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickUs;
}

/**
 * Notes how much processor time a process takes for each unit of its work:
 * unlike speed it hardly depends on what else the machine does.
 */
export class ProcessorMeter {
  /** Microseconds per unit, one for each call of {@link measure}. */
  readonly perUnit: number[] = [];

  /** @param run answers units per second */
  async measure(
    child: Child,
    units: number,
    run: () => Promise<number>,
  ): Promise<number> {
    const before = processorUs(child);
    const perSecond = await run();
    this.perUnit.push((processorUs(child) - before) / units);
    return perSecond;
  }
}

export function processorTime(
  who: string,
  { perUnit }: ProcessorMeter,
  unit: string,
): BenchRow {
  return figure(
    `${who}: processor time`,
    median(perUnit),
    `µs/${unit}`,
    "of its own process, all threads",
  );
}
