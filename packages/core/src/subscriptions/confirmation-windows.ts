/** Counts an endpoint's confirmations against the limits of its project. */

import type { ConfirmationLimit } from "./confirmation-limits.ts";

/** One limit's window: how many were sent in it, and when it ends (epoch ms). */
export interface ConfirmationWindow {
  readonly count: number;
  readonly endsAt: number;
}

/**
 * The windows, one per limit, after one more confirmation; `undefined` when a
 * limit forbids it, and then nothing is counted.
 *
 * @param known as they were kept; empty for an endpoint that was never asked
 * @param now epoch milliseconds
 */
export function countConfirmation(
  known: readonly ConfirmationWindow[],
  limits: readonly ConfirmationLimit[],
  now: number,
): readonly ConfirmationWindow[] | undefined {
  const windows: ConfirmationWindow[] = [];
  for (const [n, { max, windowMs, pauseMs }] of limits.entries()) {
    const before = known[n];
    const { count, endsAt } =
      before && now < before.endsAt
        ? before
        : { count: 0, endsAt: now + windowMs };
    if (count >= max) return undefined;
    const isLast = count + 1 >= max;
    windows.push({
      count: count + 1,
      endsAt: isLast ? Math.max(endsAt, now + pauseMs) : endsAt,
    });
  }
  return windows;
}
