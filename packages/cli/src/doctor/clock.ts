import type { Finding } from "./check.ts";

/** Signed requests are refused beyond this difference. */
const maxSkewMs = 15 * 60_000;
const noticeableSkewMs = 60_000;
/** No version of Carillon is older. */
const firstYear = 2025;

/** Is the year one in which this can run? */
export function checkYear(now = Date.now()): readonly Finding[] {
  const year = new Date(now).getUTCFullYear();
  if (year >= firstYear) return [];
  return [
    {
      check: "clock",
      result: "failed",
      found: `this machine has the year ${year}`,
      advice:
        "Set it by NTP: times to live, tokens and certificates depend on it.",
    },
  ];
}

/**
 * How far this machine's time is from that of an answer.
 *
 * @param date its `Date` header
 */
export function checkClock(
  check: string,
  date: string | null,
  now = Date.now(),
): Finding {
  const theirs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) {
    return { check, result: "skipped", found: "the answer has no time" };
  }
  // The header has whole seconds.
  const skewMs = Math.abs(now - theirs - 500);
  const found = `${(skewMs / 1000).toFixed(1)} s from this machine's`;
  const advice = "Set both clocks by NTP: signed requests depend on them.";
  if (skewMs > maxSkewMs) return { check, result: "failed", found, advice };
  return skewMs > noticeableSkewMs
    ? { check, result: "warning", found, advice }
    : { check, result: "ok", found };
}
