/**
 * One clock for all processes of a benchmark: the machine's monotonic one, in
 * milliseconds. `performance.now()` alone starts with each process.
 */

const startedAt = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function monotonicMs(): number {
  return startedAt + performance.now();
}
