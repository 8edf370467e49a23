/**
 * Keeps on writing what must be written while waiting helps. An outcome that is
 * not on disk yet is held in memory while the disk is full; giving it up would
 * mean a second attempt. How much is held is bounded by what may be under way.
 */

import { isTransient } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { Backoff } from "./backoff.ts";

export interface PersistPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Aborted when the engine was told to stop, come what may. */
  readonly abandoned: AbortSignal;
}

/**
 * Calls `write` until it succeeds. `undefined`: it was given up because the
 * engine stopped; the next start finds the claim and makes the attempt again.
 *
 * @throws what `write` throws when it would throw it each time
 */
export async function persist<Result>(
  ports: PersistPorts,
  what: string,
  write: () => Promise<Result>,
): Promise<Result | undefined> {
  const { clock, logger, random, abandoned } = ports;
  const backoff = new Backoff(random);
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (abandoned.aborted) return undefined;
      if (!isTransient(error)) throw error;
      // Many do so at once on a full disk; the store's owner says it once.
      logger.debug("write_waits", { what, error });
      await wait(clock, backoff.next(), abandoned);
      if (abandoned.aborted) return undefined;
    }
  }
}

/** Resolves after `ms` milliseconds, or when the signal is aborted. */
function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.setTimer(ms, end);
    signal.addEventListener("abort", end);
  });
}
