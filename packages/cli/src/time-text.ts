/** Times as people say and read them. */

import { InvalidArgumentError } from "commander";

const unitsMs = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Such as `12 ms`, `25 s`, `5 min`, `3 h` or `2 d`; rounded, never below 0. */
export function durationText(ms: number): string {
  const left = Math.max(0, ms);
  const { s, min, h, d } = unitsMs;
  if (left < s) return `${Math.round(left)} ms`;
  if (left < 2 * min) return `${Math.round(left / s)} s`;
  if (left < 2 * h) return `${Math.round(left / min)} min`;
  if (left < 2 * d) return `${Math.round(left / h)} h`;
  return `${Math.round(left / d)} d`;
}

/** When an instant is: `in 6 s`, or `now` if it is there. */
export function aheadText(at: string, now = Date.now()): string {
  const ms = Date.parse(at) - now;
  return ms <= 0 ? "now" : `in ${durationText(ms)}`;
}

/** How long ago an instant was; empty when there is none. */
export function ageText(at: string | undefined, now = Date.now()): string {
  if (at === undefined) return "";
  // Clocks of two machines differ a little.
  return durationText(Math.max(unitsMs.s, now - Date.parse(at)));
}

/** An instant without its date's `T` and `Z`: UTC, to the second. */
export function instantText(at: string): string {
  return at.replace("T", " ").replace(/(\.\d+)?Z$/, "");
}

/**
 * The value of `--since`: a time ago (`90s`, `30min`, `2h`, `7d`) or an
 * instant.
 *
 * @throws InvalidArgumentError
 */
export function parseSince(text: string, now = Date.now()): Date {
  const [, count, unit] = durationPattern.exec(text) ?? [];
  const ms = count === undefined ? instantOf(text) : now - toMs(count, unit);
  const date = new Date(ms);
  if (date.getUTCFullYear() >= 1970) return date;
  throw new InvalidArgumentError(
    "A time ago (90s, 30min, 2h, 7d) or an instant (2026-01-31T08:30:00Z) is expected.",
  );
}

/**
 * The value of `--at`: an instant, of local time if no zone is said.
 *
 * @throws InvalidArgumentError
 */
export function parseInstant(text: string): Date {
  const date = new Date(instantOf(text));
  if (!Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError(
    "An instant (2026-01-31T08:30:00Z) is expected.",
  );
}

/**
 * The value of `--delay`: a time ahead (`90s`, `30min`, `2h`, `7d`).
 *
 * @throws InvalidArgumentError
 */
export function parseDelay(text: string, now = Date.now()): Date {
  const [, count, unit] = durationPattern.exec(text) ?? [];
  if (count !== undefined) return new Date(now + toMs(count, unit));
  throw new InvalidArgumentError(
    "A time ahead (90s, 30min, 2h, 7d) is expected.",
  );
}

/**
 * In milliseconds; of local time if no zone is said. NaN for what begins with no
 * day of the calendar: Date.parse takes 30 February as 2 March.
 */
function instantOf(text: string): number {
  const [day] = /^\d{4}-\d\d-\d\d/.exec(text) ?? [];
  const midnight = new Date(`${day}T00:00:00Z`);
  const isDay =
    !Number.isNaN(midnight.getTime()) &&
    midnight.toISOString().startsWith(`${day}T`);
  return isDay ? Date.parse(text) : Number.NaN;
}

const durationPattern = /^(\d{1,9})\s*(s|min|m|h|d)$/;

function toMs(count: string, unit: string | undefined): number {
  const name = unit === "m" ? "min" : (unit as keyof typeof unitsMs);
  return Number(count) * unitsMs[name];
}
