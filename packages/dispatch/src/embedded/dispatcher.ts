/**
 * The dispatcher of a single process: hints go straight to the engines beside
 * it. Needs no service; see the design for many nodes.
 */

import type { Dispatcher, DispatchListener } from "@carillon/core";

/**
 * Builds a dispatcher for the engines of the same process. A listener is called
 * in a microtask, never within `offer` or `broadcast`.
 */
export function createEmbeddedDispatcher(): Dispatcher {
  // In the order of their turns: whoever was offered work goes to the end.
  const listeners = new Set<DispatchListener>();
  return {
    offer(hint) {
      // Not within the caller's stack: publishing must not pay for delivering,
      // nor fail because of it.
      queueMicrotask(() => {
        for (const listener of [...listeners]) {
          if (!listeners.delete(listener)) continue;
          listeners.add(listener);
          if (listener.onOffer(hint)) return;
        }
      });
    },
    broadcast(notice) {
      queueMicrotask(() => {
        for (const listener of listeners) listener.onNotice(notice);
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
