/**
 * What work costs, measured against other work of the same process. A bound in
 * seconds would judge the machine, and what else it does.
 */

import assert from "node:assert/strict";

/** Whether it waits makes no difference. */
export type Work = () => unknown;

export interface CostLimit {
  readonly atMost: number;
  /** The work it is measured against. */
  readonly timesThatOf: Work;
  /** Microseconds that the processor has worked; by default for this process. */
  readonly cpuUs?: () => number;
}

/** In the first one some of the baseline is not compiled yet, and costs more. */
const minRounds = 2;
/** More are needed only where something else came in between. */
const maxRounds = 10;

/** Times what is allowed: nothing that comes in between costs as much. */
const hopeless = 10;

/** Shorter work is repeated: the clock is not that fine on every system. */
const minSampleUs = 5000;

/**
 * Asserts that the processor works at most so many times as long as for something
 * else. Both are run in turns, and of each the least counts, as garbage and other
 * threads only ever add to it; it ends with the round that shows it.
 *
 * To tell linear growth from quadratic, compare an input with one of a quarter of
 * its length, and allow 8 times.
 *
 * @throws AssertionError after ten rounds, or one that is far from it
 */
export async function assertCost(
  work: Work,
  { atMost, timesThatOf, cpuUs = processCpuUs }: CostLimit,
): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  let allowed = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= maxRounds; round++) {
    allowed = Math.min(allowed, atMost * (await sampleUs(timesThatOf, cpuUs)));
    least = Math.min(least, await sampleUs(work, cpuUs));
    if (least <= allowed && round >= minRounds) return;
    if (least > hopeless * allowed) break;
  }
  assert.fail(
    `It costs ${Math.round(least)} µs where ${Math.round(allowed)} µs are allowed, ${atMost} times the other.`,
  );
}

/** Microseconds for one run. */
async function sampleUs(work: Work, cpuUs: () => number): Promise<number> {
  const begun = cpuUs();
  for (let runs = 1; ; runs++) {
    await work();
    const tookUs = cpuUs() - begun;
    if (tookUs >= minSampleUs) return tookUs / runs;
  }
}

function processCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
