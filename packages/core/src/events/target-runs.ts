/**
 * Targets of deliveries as runs: first and last of each, `[1, 500, 502, 502]`.
 * Most of a fan-out's targets follow each other, so a list of thousands takes
 * a few numbers.
 */

/** Each target once, in ascending order. */
export function toRuns(targets: readonly number[]): number[] {
  const runs: number[] = [];
  let last: number | undefined;
  for (const target of targets) {
    if (last !== undefined && target <= last) {
      // Not in order, which is rare.
      return toRuns([...new Set(targets)].sort((a, b) => a - b));
    }
    if (last !== undefined && target === last + 1) {
      runs[runs.length - 1] = target;
    } else runs.push(target, target);
    last = target;
  }
  return runs;
}

/** How many targets the runs have. */
export function countRuns(runs: readonly number[]): number {
  let count = 0;
  for (let n = 0; n + 1 < runs.length; n += 2) {
    count += (runs[n + 1] ?? 0) - (runs[n] ?? 0) + 1;
  }
  return count;
}

/** The targets from the `from`th on, at most `limit`. */
export function listRuns(
  runs: readonly number[],
  from = 0,
  limit = Number.POSITIVE_INFINITY,
): number[] {
  const targets: number[] = [];
  let skip = from;
  for (let n = 0; n + 1 < runs.length; n += 2) {
    const [first = 0, last = 0] = [runs[n], runs[n + 1]];
    const size = last - first + 1;
    for (let k = skip; k < size; k++) {
      if (targets.length >= limit) return targets;
      targets.push(first + k);
    }
    skip = Math.max(0, skip - size);
  }
  return targets;
}
