/** Waits for a signal to stop; a second one stops at once. */

import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Ctrl-C under npm arrives twice: from the terminal, and passed on by each
 * process in between. Signals this close together count as one.
 */
const sameSignalMs = 400;

/**
 * Resolves at the first signal; a second one, later than an echo of the
 * first, ends the process at once.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const signal of signals) {
      process.on(signal, () => {
        const now = performance.now();
        if (firstAt === undefined) {
          firstAt = now;
          resolve(signal);
        } else if (now - firstAt > sameSignalMs) {
          process.exit(128 + constants.signals[signal]);
        }
      });
    }
  });
}
