/** What a benchmark answers, and how rounds are put together. */

export interface BenchResult {
  readonly name: string;
  readonly rows: readonly BenchRow[];
}

export interface BenchRow {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The bound it must keep, in words; empty for figures that inform. */
  readonly target: string;
  readonly ok: boolean;
}

/** A figure that only informs. */
export function figure(metric: string, value: number, unit: string): BenchRow {
  return { metric, value, unit, target: "", ok: true };
}

export function atLeast(
  metric: string,
  value: number,
  least: number,
  unit = "×",
): BenchRow {
  return { metric, value, unit, target: `≥ ${least}`, ok: value >= least };
}

export function atMost(
  metric: string,
  value: number,
  most: number,
  unit: string,
): BenchRow {
  return { metric, value, unit, target: `≤ ${most}`, ok: value <= most };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  );
}

/**
 * Runs the contenders in turn, round after round, so that whatever else the
 * machine does meets all of them; answers each one's median.
 */
export async function alternate(
  rounds: number,
  contenders: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number>> {
  const names = Object.keys(contenders);
  const measured = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const value = await contenders[name]?.();
      if (value !== undefined) measured.get(name)?.push(value);
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, median(measured.get(name) ?? [])]),
  );
}
