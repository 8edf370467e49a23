/**
 * The dispatcher of a single process: hints go straight to the engine beside
 * it. Needs no service; see the design for many nodes.
 */

import type { Dispatcher, WorkHint } from "@carillon/core";

/**
 * Builds a dispatcher for the engine of the same process. A listener is called
 * in a microtask, never within `announce`.
 */
export function createEmbeddedDispatcher(): Dispatcher {
  const listeners = new Set<(hint: WorkHint) => void>();
  return {
    announce(hint) {
      // Not within the caller's stack: publishing must not pay for delivering,
      // nor fail because of it.
      queueMicrotask(() => {
        for (const listener of listeners) listener(hint);
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    async close() {
      listeners.clear();
    },
  };
}
