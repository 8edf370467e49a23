/** A store of which each call can be held up, or not made at all. */

import type { Store } from "@carillon/core";

/** What answers at once, and no promise. */
const synchronous: ReadonlySet<PropertyKey> = new Set(["watchChanges"]);

/**
 * The store, whose methods go through `around` if they answer promises. Its
 * other properties, and its type, stay.
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
      if (synchronous.has(name)) return value.bind(target);
      return (...args: unknown[]) =>
        around(name, async () => Reflect.apply(value, target, args), args);
    },
  });
}
