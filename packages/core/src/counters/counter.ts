/** How a counter counts: the rule that every store follows. */

import { CarillonError } from "../errors.ts";
import type {
  Counter,
  CounterAddition,
  CounterChange,
  CounterRule,
} from "../ports/counter-store.ts";
import { addMs, type EpochMs } from "../time.ts";

/** A counter as it is kept. */
export interface KeptCounter {
  readonly count: number;
  readonly lastAt: EpochMs;
  readonly endsAt: EpochMs;
}

/** Beyond it a counter stands still. */
const maxCount = 1_000_000_000_000_000;

const maxBy = 1_000_000_000;
const maxKeys = 1000;
const maxWindowMs = 31 * 24 * 3_600_000;
const maxOfKind = 1_000_000;
const keyPattern = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The counter with an addition; `undefined` when it had reached its `max`.
 *
 * @param known as it was kept, ended or not
 */
export function addToCounter(
  known: KeptCounter | undefined,
  { by, agoMs = 0, max, ...own }: CounterAddition,
  { isSliding, ...rule }: CounterRule,
  now: EpochMs,
): KeptCounter | undefined {
  const windowMs = own.windowMs ?? rule.windowMs;
  const before = known && now < known.endsAt ? known : undefined;
  const count = before?.count ?? 0;
  if (max !== undefined && count >= max) return undefined;
  const at = addMs(now, -agoMs);
  const lastAt = before && before.lastAt > at ? before.lastAt : at;
  const endsAt = before && !isSliding ? before.endsAt : addMs(lastAt, windowMs);
  return { count: Math.min(count + by, maxCount), lastAt, endsAt };
}

/** What is told of a counter; `undefined` once it has ended. */
export function toCounter(
  kept: KeptCounter | undefined,
  now: EpochMs,
): Counter | undefined {
  if (!kept || kept.endsAt <= now) return undefined;
  const { count, lastAt, endsAt } = kept;
  return {
    count,
    sinceLastMs: Math.max(0, now - lastAt),
    endsInMs: endsAt - now,
  };
}

/** @throws CarillonError STORAGE_REFUSED */
export function checkCounterChange(
  { windowMs, maxCounters }: CounterRule,
  { removed = [], added }: CounterChange,
): void {
  checkWhole("window", windowMs, 1, maxWindowMs);
  checkWhole("number of counters", maxCounters, 1, maxOfKind);
  checkWhole("number of keys", removed.length + added.length, 0, maxKeys);
  checkCounterKeys(removed);
  checkCounterKeys(added.map(({ key }) => key));
  for (const { by, agoMs = 0, max = maxCount, ...own } of added) {
    checkWhole("addition", by, 1, maxBy);
    checkWhole("window", own.windowMs ?? windowMs, 1, maxWindowMs);
    checkWhole("age", agoMs, 0, (own.windowMs ?? windowMs) - 1);
    checkWhole("maximum", max, 1, maxCount);
  }
}

/** @throws CarillonError STORAGE_REFUSED */
export function checkCounterKeys(keys: readonly string[]): void {
  checkWhole("number of keys", keys.length, 0, maxKeys);
  for (const key of keys) {
    if (typeof key === "string" && keyPattern.test(key)) continue;
    // What stands in it may be what must not be read anywhere.
    throw new CarillonError(
      "STORAGE_REFUSED",
      "Invalid key of a counter: 1 to 64 letters, digits, hyphens and underscores are expected.",
    );
  }
}

function checkWhole(what: string, value: number, from: number, to: number) {
  if (Number.isSafeInteger(value) && value >= from && value <= to) return;
  throw new CarillonError(
    "STORAGE_REFUSED",
    `Invalid ${what} of a counter: a whole number from ${from} to ${to} is expected, got ${value}.`,
  );
}
