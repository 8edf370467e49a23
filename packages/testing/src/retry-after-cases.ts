/** What a `Retry-After` header means, for whoever reads one (RFC 9110). */

/** The instant at which the headers of {@link retryAfterCases} are read. */
export const retryAfterNow = Date.UTC(2026, 0, 15, 8, 30, 0);

/** What is longer counts as a year. */
const year = 365 * 86_400_000;

/** A header's value, and the milliseconds to wait; `undefined` is ignored. */
export const retryAfterCases: readonly (readonly [
  header: string | undefined,
  waitMs: number | undefined,
])[] = [
  // Seconds (§10.2.3)
  ["120", 120_000],
  ["0", 0],
  ["007", 7000],
  [" 1 ", 1000],
  ["31536000", year],
  ["31536001", year],
  ["99999999999999999999", year],
  ["9".repeat(400), year],
  ["-5", undefined],
  ["+5", undefined],
  ["1.5", undefined],
  ["1e3", undefined],
  ["30, 60", undefined],
  ["30 s", undefined],
  // The three forms of a date (§5.6.7)
  ["Thu, 15 Jan 2026 08:31:30 GMT", 90_000],
  ["Thursday, 15-Jan-26 08:30:10 GMT", 10_000],
  ["Thu Jan 15 08:30:10 2026", 10_000],
  ["Mon Feb  2 08:30:00 2026", 18 * 86_400_000],
  ["Thu, 15 Jan 2026 08:30:60 GMT", 60_000],
  ["Fri, 15 Jan 2027 08:29:59 GMT", year - 1000],
  ["Fri, 31 Dec 9999 23:59:59 GMT", year],
  // Two digits of a year are one that is not more than 50 years ahead.
  ["Wednesday, 15-Jan-75 08:30:00 GMT", year],
  ["Saturday, 15-Jan-77 08:30:00 GMT", 0],
  // What has passed asks for no wait.
  ["Thu, 15 Jan 2026 08:29:59 GMT", 0],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 0],
  ["Sun Nov  6 08:49:37 1994", 0],
  // No HTTP dates, though Date.parse would take most of them.
  ["2026-01-15T08:31:30Z", undefined],
  ["Thu, 15 Jan 2026 08:31:30 +0000", undefined],
  ["Thu, 15 Jan 2026 08:31:30", undefined],
  ["15 Jan 2026 08:31:30 GMT", undefined],
  ["Thu, 30 Feb 2026 08:31:30 GMT", undefined],
  ["Thu, 15 Foo 2026 08:31:30 GMT", undefined],
  ["Thu, 15 Jan 2026 24:00:00 GMT", undefined],
  ["Thu, 00 Jan 2026 08:31:30 GMT", undefined],
  ["thu, 15 jan 2026 08:31:30 gmt", undefined],
  ["Jan 16", undefined],
  ["in 2027", undefined],
  ["12/31/2027", undefined],
  ["Dec 2030", undefined],
  ["soon", undefined],
  ["", undefined],
  [undefined, undefined],
];
