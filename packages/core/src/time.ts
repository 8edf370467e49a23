/**
 * Instants. They are kept in columns of whole milliseconds, and a fraction that
 * came from a jitter or a division once stopped every retry: so an instant is a
 * type of its own, and only these functions make one.
 */

declare const epochMs: unique symbol;

/** Whole milliseconds since 1970-01-01T00:00:00Z; durations are plain numbers. */
export type EpochMs = number & { readonly [epochMs]: true };

/**
 * The number as an instant.
 *
 * @throws RangeError when it is no whole number of milliseconds, or out of the
 * range of dates (ECMA-262 §21.4.1.1: 8.64e15 either way)
 */
export function toEpochMs(ms: number): EpochMs {
  if (!isEpochMs(ms)) {
    throw new RangeError(`${ms} is no instant: whole milliseconds are needed.`);
  }
  return ms;
}

/**
 * Whether a value is a whole number of milliseconds within the range of dates.
 */
export function isEpochMs(value: unknown): value is EpochMs {
  return (
    typeof value === "number" &&
    Number.isInteger(value) &&
    Math.abs(value) <= 8.64e15
  );
}

/**
 * The first whole millisecond that lies `ms` milliseconds or more behind an
 * instant; a fraction never makes a wait shorter.
 *
 * @throws RangeError when `ms` is not a number or leads out of the range
 */
export function addMs(instant: EpochMs, ms: number): EpochMs {
  return toEpochMs(Math.ceil(instant + ms));
}
