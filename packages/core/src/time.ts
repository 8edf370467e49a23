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

/**
 * The instant that a date of ISO 8601 (UTC), or a date and time of RFC 3339 with
 * its zone, says; seconds can be left out. `undefined` for all others: Date.parse
 * reads much more, takes times without a zone as local ones, and 30 February as
 * 2 March.
 */
export function instantOf(text: string): EpochMs | undefined {
  const iso = text.toUpperCase();
  if (!isoPattern.test(iso)) return undefined;
  const at = Date.parse(iso);
  return isEpochMs(at) && isCalendarDay(iso) ? at : undefined;
}

const isoPattern =
  /^\d{4}-\d\d-\d\d(T([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Whether the day that an instant's text begins with is one of the calendar. */
function isCalendarDay(text: string): boolean {
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
