/** Waits before answers, which must not hold up a shutdown. */

import type { Clock } from "@carillon/core";

export interface Pauses {
  /** Resolves after the delay, or when all pauses end. */
  wait(delayMs: number): Promise<void>;
  /** Ends those under way, and all that would come. */
  close(): void;
}

export function createPauses(clock: Pick<Clock, "setTimer">): Pauses {
  const waiting = new Set<() => void>();
  let isClosed = false;
  return {
    async wait(delayMs) {
      if (delayMs <= 0 || isClosed) return;
      await new Promise<void>((resolve) => {
        const end = () => {
          timer.cancel();
          waiting.delete(end);
          resolve();
        };
        const timer = clock.setTimer(delayMs, end);
        waiting.add(end);
      });
    },
    close() {
      isClosed = true;
      for (const end of [...waiting]) end();
    },
  };
}
