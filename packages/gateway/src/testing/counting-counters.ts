/** Counts how often a guard asks its counters. */

import type { GuardCounters } from "../guard/guard-counters.ts";

export function countOfCalls(inner: GuardCounters) {
  const calls = { read: 0, add: 0 };
  const counters: GuardCounters = {
    read(keys) {
      calls.read++;
      return inner.read(keys);
    },
    add(additions) {
      calls.add++;
      return inner.add(additions);
    },
  };
  return { counters, calls };
}
