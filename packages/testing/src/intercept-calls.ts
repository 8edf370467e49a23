/** A store of which each call can be held up, or not made at all. */

import type { Store } from "@carillon/core";

/**
 * The store, all of whose methods go through `around`; they answer promises all.
 * Its other properties, and its type, stay.
 */
export function interceptCalls<Wrapped extends Store>(
  store: Wrapped,
  around: (
    method: PropertyKey,
    call: () => Promise<unknown>,
    args: readonly unknown[],
  ) => Promise<unknown>,
): Wrapped {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) =>
        around(name, async () => Reflect.apply(value, target, args), args);
    },
  });
}
