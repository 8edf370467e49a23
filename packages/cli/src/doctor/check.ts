/** What a check of the doctor answers. */

export interface Finding {
  /** What was looked at, in a few words. */
  readonly check: string;
  /** `skipped`: there was nothing to look at. */
  readonly result: "ok" | "warning" | "failed" | "skipped";
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** How long a check of something elsewhere may take. */
export interface CheckOptions {
  /** Default 5000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Aborted when the time is over (a `TimeoutError`), or the signal is. */
export function within(
  timeoutMs: number,
  signal: AbortSignal | undefined,
): AbortSignal {
  const deadline = AbortSignal.timeout(timeoutMs);
  return signal ? AbortSignal.any([signal, deadline]) : deadline;
}
