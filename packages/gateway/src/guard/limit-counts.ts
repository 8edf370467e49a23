/** In which counters a text is counted, and what each of them allows. */

import { countryOf } from "../policy/country.ts";
import { toGuardKey } from "./guard-counters.ts";
import type { GuardRules } from "./guard-rules.ts";
import type { HoldReason } from "./hold.ts";

/** One text as a guard counts it. */
export interface CountedText {
  /** Without its plus. */
  readonly digits: string;
  readonly messageClass: string | null;
  /** Empty: there are none. */
  readonly project: string;
  /** What it costs, in units of the currency; absent: nobody knows. */
  readonly cost?: number;
  /** Of the cost, for sentences; absent: none is named. */
  readonly currency?: string;
}

/** A counter that a text adds to. */
export interface Count {
  readonly key: string;
  readonly by: number;
  readonly limit: number;
  readonly windowMs: number;
  readonly reason: HoldReason;
  /** Which limit it is, as the beginning of a sentence. */
  readonly rule: string;
  /** What an operator can do, as the end of a sentence. */
  readonly otherwise: string;
  readonly spend?: SpendPeriod;
}

/** Whose money a counter of spend counts, and when. */
export interface SpendPeriod {
  readonly period: "day" | "month";
  /** Such as `2026-11-27` or `2026-11`, of UTC. */
  readonly date: string;
  /** Absent: of all projects together. */
  readonly project?: string;
}

/** Money, and limits on it, are counted in whole ten-thousandths. */
export const spendUnit = 10_000;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The counters of a text under these rules; those without a limit are left out. */
export function countsOf(
  text: CountedText,
  rules: GuardRules,
  nowMs: number,
  place: string,
): Count[] {
  const { digits, messageClass, project } = text;
  const counts: Count[] = [];
  const add = (
    name: keyof GuardRules & `${string}Per${string}`,
    [windowMs, span]: readonly [number, string],
    reason: HoldReason,
    what: string,
    ...parts: readonly string[]
  ) => {
    const limit = rules[name];
    if (limit === 0) return;
    counts.push({
      key: toGuardKey(name, ...parts),
      by: 1,
      limit,
      windowMs,
      reason,
      rule: `${place}${name} allows ${limit} ${what} in ${span}`,
      otherwise: `Raise it, or send the text again when the ${span} are over`,
    });
  };
  add("numberPerHour", hour, "number_limit", "texts to one number", digits);
  add(
    "numberPerHalfDay",
    [12 * hourMs, "12 hours"],
    "number_limit",
    "texts to one number",
    digits,
  );
  if (messageClass === "otp") {
    const what = "texts of class otp to one number";
    const tenMinutes = [10 * minuteMs, "10 minutes"] as const;
    add("otpPerTenMinutes", tenMinutes, "otp_limit", what, digits);
    add("otpPerHour", hour, "otp_limit", what, digits);
  }
  const prefix = digits.slice(0, -3);
  add(
    "prefixPerHour",
    hour,
    "prefix_limit",
    "texts to numbers that differ in their last three digits only",
    prefix,
  );
  const country = countryOf(digits) ?? "";
  add("countryPerHour", hour, "country_limit", "texts to one country", country);
  add("projectPerHour", hour, "project_limit", "texts of one project", project);
  if (messageClass !== null) {
    const what = `texts of class ${messageClass} of one project`;
    add("classPerHour", hour, "class_limit", what, project, messageClass);
  }
  counts.push(...spendCountsOf(text, rules, nowMs, place));
  return counts;
}

const hour = [hourMs, "60 minutes"] as const;

function spendCountsOf(
  { cost = 0, currency, project }: CountedText,
  rules: GuardRules,
  nowMs: number,
  place: string,
): Count[] {
  const by = Math.ceil(cost * spendUnit - 1e-6);
  if (by <= 0) return [];
  return spendPeriodsOf(nowMs, project).flatMap((spend) => {
    const name = ruleOfSpend(spend);
    const allowed = rules[name];
    if (allowed === 0) return [];
    const amount = currency ? `${allowed} ${currency}` : allowed;
    return {
      key: spendKey(spend),
      by,
      // Not 0.57 * 10000 = 5699.999999999999.
      limit: Math.round(allowed * spendUnit),
      // A month of 31 days ends with it; a day is over before.
      windowMs: spend.period === "day" ? 2 * dayMs : 31 * dayMs,
      reason: "spend_limit",
      rule: `${place}${name} allows texts for ${amount} in a ${spend.period}`,
      otherwise: `Raise it, or send the text again when the ${spend.period} (of UTC) is over`,
      spend,
    } as const;
  });
}

/** Day and month at that instant, of all projects and of this one. */
export function spendPeriodsOf(nowMs: number, project?: string): SpendPeriod[] {
  const date = new Date(nowMs).toISOString();
  const day = { period: "day", date: date.slice(0, 10) } as const;
  const month = { period: "month", date: date.slice(0, 7) } as const;
  return [
    day,
    month,
    ...(project
      ? [
          { ...day, project },
          { ...month, project },
        ]
      : []),
  ];
}

/** The rule that limits the spend of a period. */
export function ruleOfSpend({ period, project }: SpendPeriod) {
  if (project === undefined) {
    return period === "day" ? "spendPerDay" : "spendPerMonth";
  }
  return period === "day" ? "projectSpendPerDay" : "projectSpendPerMonth";
}

export function spendKey({ period, date, project = "" }: SpendPeriod): string {
  return toGuardKey("spend", period, date, project);
}
