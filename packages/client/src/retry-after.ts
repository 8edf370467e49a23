/**
 * Reads the `Retry-After` header (RFC 9110 §10.2.3). The gateway, which stands
 * alone, has the same in its own file; one table of cases holds both.
 */

/** The three forms of an HTTP date (RFC 9110 §5.6.7). */
const dateForms: readonly RegExp[] = (() => {
  const day = "(?<day>0[1-9]|[12]\\d|3[01])";
  const month = "(?<month>[A-Z][a-z]{2})";
  // A leap second counts as the next minute's first.
  const time =
    "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";
  return [
    // Sun, 06 Nov 1994 08:49:37 GMT
    `[A-Z][a-z]{2}, ${day} ${month} (?<year>\\d{4}) ${time} GMT`,
    // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
    `[A-Z][a-z]+day, ${day}-${month}-(?<year>\\d\\d) ${time} GMT`,
    // asctime: Sun Nov  6 08:49:37 1994
    `[A-Z][a-z]{2} ${month} ${day.replace("0[1-9]", " [1-9]")} ${time} (?<year>\\d{4})`,
  ].map((form) => new RegExp(`^${form}$`));
})();

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** A year: who asks for more asks never to come again. */
const longestWaitMs = 365 * 86_400_000;

/**
 * Milliseconds from `now` that a `Retry-After` header asks to wait: seconds or
 * an HTTP date, 0 for one that has passed, at most a year. `undefined` when the header is
 * absent or anything else, which RFC 9110 leaves to be ignored.
 *
 * @param now milliseconds since the epoch
 */
export function parseRetryAfter(
  header: string | null | undefined,
  now: number,
): number | undefined {
  const value = header?.trim() ?? "";
  if (/^\d+$/.test(value)) {
    return Math.min(Number(value) * 1000, longestWaitMs);
  }
  const at = parseHttpDate(value, now);
  return at === undefined
    ? undefined
    : Math.min(Math.max(0, at - now), longestWaitMs);
}

// Date.parse reads much that is no HTTP date ("1", "2026", "May 4"), and
// asctime's form as local time.
function parseHttpDate(value: string, now: number): number | undefined {
  for (const form of dateForms) {
    const fields = form.exec(value)?.groups;
    if (fields === undefined) continue;
    const month = months.indexOf(fields.month ?? "");
    const day = Number(fields.day);
    const year = fullYear(fields.year ?? "", now);
    const time = [fields.hour, fields.minute, fields.second].map(Number);
    const [hour = 0, minute = 0, second = 0] = time;
    const isInMonth = new Date(Date.UTC(year, month, day)).getUTCDate() === day;
    return month >= 0 && isInMonth
      ? Date.UTC(year, month, day, hour, minute, second)
      : undefined;
  }
  return undefined;
}

/** Two digits are a year that is at most 50 years ahead. */
function fullYear(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const latest = new Date(now).getUTCFullYear() + 50;
  return latest - ((((latest - Number(digits)) % 100) + 100) % 100);
}
