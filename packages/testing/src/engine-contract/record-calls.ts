import type { Store } from "@carillon/core";

/** The store; `calls` is emptied and then grows by the name of each call. */
export function recordCalls(store: Store, calls: string[]): Store {
  calls.length = 0;
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
}
