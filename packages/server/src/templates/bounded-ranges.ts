/**
 * Ranges such as `(1..10)` with an end that is always reached: liquidjs counts up
 * by one from the first number, which beyond 2^53 is no other number.
 */

import { Expression, TokenKind, type ValueToken } from "liquidjs";

/** Numbers of a range. */
const maxRangeLength = 10_000;

/** Named so that no template can name it. */
export const rangeFilter = "(range)";

/**
 * Makes each range of what was parsed a call of {@link rangeFilter}: of its first
 * number, with its last one.
 */
export function boundRanges(part: unknown, seen = new Set<unknown>()): void {
  if (typeof part !== "object" || part === null || seen.has(part)) return;
  seen.add(part);
  for (const [name, member] of Object.entries(part)) {
    // The engine itself, of which each tag knows.
    if (name !== "liquid") boundRanges(member, seen);
  }
  if (!isRange(part)) return;
  const { lhs, rhs } = part;
  Object.assign(part, {
    kind: TokenKind.FilteredValue,
    initial: new Expression([lhs].values()),
    filters: [{ ...part, name: rangeFilter, args: [rhs] }],
  });
}

/** @throws Error that is shown to whoever renders the template */
export function rangeOf(first: unknown, last: unknown): number[] {
  const [from, to] = [toWhole(first), toWhole(last)];
  if (from === undefined || to === undefined) {
    throw new Error("A range needs a whole number at each end.");
  }
  const length = Math.max(to - from + 1, 0);
  if (length > maxRangeLength) {
    throw new Error(`A range has at most ${maxRangeLength} numbers.`);
  }
  return Array.from({ length }, (_, n) => from + n);
}

function toWhole(value: unknown): number | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const number = value === "" ? Number.NaN : Math.trunc(Number(value));
  return Number.isSafeInteger(number) ? number : undefined;
}

function isRange(part: object): part is { lhs: ValueToken; rhs: ValueToken } {
  return "kind" in part && part.kind === TokenKind.Range;
}
