/** What a provider failed with lately, by the carrier's codes. */

/** A failure as it is counted. */
export interface CountedError {
  /** The carrier's own code; absent: it gave none. */
  readonly code?: string | number;
  /** Of errors; `receipt`: of a text that was accepted before. */
  readonly errorClass: string;
}

/** All failures of one code and class. */
export interface ErrorCount extends CountedError {
  readonly count: number;
  /** Of the last one, milliseconds since the epoch. */
  readonly lastAt: number;
}

const errorsKept = 50;

export class ErrorCounts {
  /** The one seen last stands last. */
  readonly #counts = new Map<string, ErrorCount>();

  count({ code, errorClass }: CountedError, at: number): void {
    const key = `${errorClass} ${typeof code} ${code}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, {
      ...(code !== undefined && { code }),
      errorClass,
      count,
      lastAt: at,
    });
    if (this.#counts.size <= errorsKept) return;
    const [oldest = ""] = this.#counts.keys();
    this.#counts.delete(oldest);
  }

  /** The newest first. */
  list(): readonly ErrorCount[] {
    return [...this.#counts.values()].reverse();
  }
}
