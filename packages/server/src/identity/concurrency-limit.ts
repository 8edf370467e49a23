/** Bounds how much of something runs at once, and how much waits for it. */

import { RequestError } from "../errors.ts";

export type ConcurrencyLimit = <Result>(
  run: () => Promise<Result>,
) => Promise<Result>;

/**
 * Lets `max` run at once and `maxWaiting` wait, in the order they came.
 *
 * What it answers throws RequestError OVERLOADED when too many wait already.
 */
export function createConcurrencyLimit(
  max: number,
  maxWaiting: number,
): ConcurrencyLimit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running < max) running++;
    else {
      if (waiting.length >= maxWaiting) {
        throw new RequestError(
          "OVERLOADED",
          "Too many requests of this kind at once; try again in a moment.",
        );
      }
      // Whoever leaves hands its place on.
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
