/** Reads the `Retry-After` header (RFC 9110 §10.2.3). */

/** A receiver may ask for a day of patience, not for more. */
const maxRetryAfterMs = 24 * 3_600_000;

/**
 * Seconds, or an HTTP date, as milliseconds from `now`; at most a day.
 * `undefined` when the header is absent, unreadable or in the past.
 */
export function parseRetryAfter(
  header: string | readonly string[] | undefined,
  now: number,
): number | undefined {
  const value = (typeof header === "object" ? header[0] : header)?.trim();
  if (!value) return undefined;
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - now;
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined;
}
