/** Counts an endpoint's confirmations against the limits of its project. */

import { addMs, type EpochMs } from "../time.ts";
import type { ConfirmationLimit } from "./confirmation-limits.ts";

/** One limit's window: how many were sent in it, and when it ends. */
export interface ConfirmationWindow {
  readonly count: number;
  readonly endsAt: EpochMs;
}

/**
 * The windows, one per limit, after one more confirmation; `undefined` when a
 * limit forbids it, and then nothing is counted.
 *
 * @param known as they were kept; empty for an endpoint that was never asked
 */
export function countConfirmation(
  known: readonly ConfirmationWindow[],
  limits: readonly ConfirmationLimit[],
  now: EpochMs,
): readonly ConfirmationWindow[] | undefined {
  const windows: ConfirmationWindow[] = [];
  for (const [n, { max, windowMs, pauseMs }] of limits.entries()) {
    const before = known[n];
    const { count, endsAt } =
      before && now < before.endsAt
        ? before
        : { count: 0, endsAt: addMs(now, windowMs) };
    if (count >= max) return undefined;
    const isLast = count + 1 >= max;
    windows.push({
      count: count + 1,
      endsAt: isLast ? laterOf(endsAt, addMs(now, pauseMs)) : endsAt,
    });
  }
  return windows;
}

function laterOf(one: EpochMs, other: EpochMs): EpochMs {
  return one > other ? one : other;
}
