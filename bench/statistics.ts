/** How rounds are alternated and put together: medians, and medians of ratios. */

/** Each contender's values, one a round, in the order of the rounds. */
export type Rounds = Readonly<Record<string, readonly number[]>>;

/**
 * Runs the contenders in turn, round after round, so that whatever else the
 * machine does meets all of them. One round before warms up compilers and
 * connections and is not counted.
 */
export async function alternate(
  rounds: number,
  contenders: Readonly<Record<string, () => Promise<number>>>,
): Promise<Rounds> {
  const measured: Record<string, number[]> = Object.fromEntries(
    Object.keys(contenders).map((name) => [name, []]),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const value = await run();
      const shown = `${name} ${Number(value.toPrecision(4))}`;
      process.stderr.write(`  ${round === 0 ? "warm-up" : round}: ${shown}\n`);
      if (round > 0) measured[name]?.push(value);
    }
  }
  return measured;
}

export function median(values: readonly number[] = []): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * Median of one contender's values over the other's, round by round: a machine
 * that is busy for a while slows both sides of a ratio.
 */
export function medianRatio(
  of: readonly number[] = [],
  to: readonly number[] = [],
): number {
  return median(of.map((value, round) => value / (to[round] ?? Number.NaN)));
}

/** The value that `share` (0 to 1) of all values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.ceil(sorted.length * share) - 1;
  return sorted[Math.max(0, rank)] ?? Number.NaN;
}
