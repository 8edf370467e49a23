/**
 * Keeps on writing what must be written. An outcome that is not on disk yet is
 * held in memory while the disk is full; giving it up would mean a second attempt.
 */

import { CarillonError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";

export interface PersistPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** True when the engine was told to stop, come what may. */
  readonly isAbandoned: () => boolean;
}

/** Milliseconds between two attempts of a write that failed. */
const pauseMs = 1000;

/**
 * Calls `write` until it succeeds. `undefined`: it was given up because the
 * engine stopped; the next start finds the lease ended and tries again.
 */
export async function persist<Result>(
  ports: PersistPorts,
  what: string,
  write: () => Promise<Result>,
): Promise<Result | undefined> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const code = error instanceof CarillonError ? error.code : undefined;
      ports.logger.error("write_failed", { what, code, error: String(error) });
      if (ports.isAbandoned()) return undefined;
      await new Promise<void>((resolve) => {
        ports.clock.setTimer(pauseMs, resolve);
      });
      if (ports.isAbandoned()) return undefined;
    }
  }
}
