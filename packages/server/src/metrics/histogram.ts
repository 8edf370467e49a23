/**
 * Durations counted in buckets, in arrays: observing one costs a few
 * nanoseconds. Read as Prometheus has histograms.
 */

/** Upper bounds of buckets, in seconds, ascending. */
export type Bounds = readonly number[];

/** Of answers: from a read of memory to a hashed password. */
export const requestBounds: Bounds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

/** Of deliveries: from the fast path to the last attempt of a schedule. */
export const deliveryBounds: Bounds = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200, 43_200,
  259_200,
];

export class Histogram {
  readonly bounds: Bounds;
  /** One more than bounds: the last is of what lies above them all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: Bounds) {
    this.bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(seconds: number): void {
    const { bounds } = this;
    let at = 0;
    // Few bounds, and most values lie in the first of them.
    while (seconds > (bounds[at] ?? Number.POSITIVE_INFINITY)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** Of all values, in seconds. */
  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** How many lie at or below each bound; without the last bucket. */
  cumulative(): readonly number[] {
    let sum = 0;
    return this.#counts.slice(0, -1).map((count) => {
      sum += count;
      return sum;
    });
  }
}
