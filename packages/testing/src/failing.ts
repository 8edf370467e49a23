/** Stores that fail when a test wants them to. */

import type { Store } from "@carillon/core";
import { interceptCalls } from "./intercept-calls.ts";

/** How a method of the store fails. */
export interface PlannedFailure {
  readonly error: Error;
  /** How many calls fail; those after them do not. Default: all. */
  readonly times?: number;
  /** How many calls succeed before. Default: none. */
  readonly after?: number;
  /** Only calls with such arguments; the others succeed. Default: all. */
  readonly only?: (...args: readonly unknown[]) => boolean;
}

/** By method. Read at each call: what is taken out fails no more. */
export type FailurePlan = {
  [Method in keyof Store]?: PlannedFailure | undefined;
};

/**
 * Chosen methods throw chosen errors, as a full disk or a lost connection has
 * them; a call that fails has changed nothing.
 */
export function failing<Wrapped extends Store>(
  store: Wrapped,
  plan: FailurePlan,
): Wrapped {
  const calls = new Map<PlannedFailure, number>();
  return interceptCalls(store, async (method, call, args) => {
    // Other names than the port's are not in the plan.
    const failure = plan[method as keyof Store];
    if (!failure || failure.only?.(...args) === false) return await call();
    const { error, times = Number.POSITIVE_INFINITY, after = 0 } = failure;
    const nth = calls.get(failure) ?? 0;
    calls.set(failure, nth + 1);
    if (nth >= after && nth < after + times) throw error;
    return await call();
  });
}
