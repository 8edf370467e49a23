/** What a benchmark answers: figures, some of them with a bound to keep. */

export interface BenchResult {
  readonly name: string;
  readonly rows: readonly BenchRow[];
  /** What was not measured, and why. */
  readonly skipped?: readonly string[];
}

export interface BenchRow {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** Absent for figures that only inform. */
  readonly bound?: Bound;
  /** Under which conditions it was measured, where that is not plain. */
  readonly note?: string;
}

/** The worst value that still passes. */
export interface Bound {
  readonly kind: "at least" | "at most";
  readonly value: number;
}

/** A figure that only informs. */
export function figure(
  metric: string,
  value: number,
  unit: string,
  note?: string,
): BenchRow {
  return { metric, value, unit, ...(note !== undefined && { note }) };
}

export function atLeast(
  metric: string,
  value: number,
  least: number,
  unit = "×",
): BenchRow {
  return { metric, value, unit, bound: { kind: "at least", value: least } };
}

export function atMost(
  metric: string,
  value: number,
  most: number,
  unit = "×",
): BenchRow {
  return { metric, value, unit, bound: { kind: "at most", value: most } };
}

/** Whether a row keeps its bound; true if it has none, false for no number. */
export function keepsBound({ value, bound }: BenchRow): boolean {
  if (bound === undefined) return true;
  return bound.kind === "at least"
    ? value >= bound.value
    : value <= bound.value;
}
