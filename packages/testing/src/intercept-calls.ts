/** A store of which each call can be held up, or not made at all. */

import type { Store } from "@carillon/core";

const listening = new Set<PropertyKey>([
  "changes",
  "watchFeed",
  "watchMailboxes",
  "watchOutcomes",
] satisfies (keyof Store)[]);

/**
 * The store, all of whose methods go through `around`; they answer promises all,
 * but those that take a listener, which are called as they are. Its other
 * properties, and its type, stay.
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
      if (listening.has(name)) return value.bind(target);
      return (...args: unknown[]) =>
        around(name, async () => Reflect.apply(value, target, args), args);
    },
  });
}
