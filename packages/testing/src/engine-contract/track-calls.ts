/** Knows which calls of a store have no answer yet. */

import type { Store } from "@carillon/core";

export interface Tracked {
  readonly store: Store;
  /** Resolves once nothing was asked of the store for some turns. */
  idle(): Promise<void>;
}

/** Turns of the event loop after which nobody is about to ask. */
const quietTurns = 6;

export function trackCalls(store: Store): Tracked {
  let pending = 0;
  let calls = 0;
  const idle: (() => void)[] = [];
  const tracking = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls++;
        const answer: unknown = Reflect.apply(value, target, args);
        if (!(answer instanceof Promise)) return answer;
        pending++;
        return answer.finally(() => {
          pending--;
          if (pending === 0) for (const resolve of idle.splice(0)) resolve();
        });
      };
    },
  });
  return {
    store: tracking,
    async idle() {
      for (let quiet = 0; quiet < quietTurns; ) {
        if (pending > 0) {
          await new Promise<void>((resolve) => idle.push(resolve));
        }
        const before = calls;
        await new Promise<void>((resolve) => setImmediate(resolve));
        quiet = pending > 0 || calls > before ? 0 : quiet + 1;
      }
    },
  };
}
