/** Limits on spend need prices: without one they would hold nothing. */

import type { GuardRules } from "@carillon/gateway";
import type { ConfigMistake } from "./config-error.ts";

const keys = [
  "spendPerDay",
  "spendPerMonth",
  "projectSpendPerDay",
  "projectSpendPerMonth",
] as const;

/**
 * A mistake for each limit, when there is no price.
 *
 * @param policy as it was read, whatever else is wrong with it
 */
export function findSpendMistakes(
  guard: Pick<GuardRules, (typeof keys)[number]>,
  policy: unknown,
): ConfigMistake[] {
  const limits = keys.filter((key) => guard[key] > 0);
  if (limits.length === 0 || hasPrice(policy)) return [];
  return limits.map((key) => ({
    key: `sms.guard.${key}`,
    source: `sms.guard.${key}`,
    problem: `expected a policy with prices, because spend is limited to ${guard[key]}: give the providers of sms.policyFile a costPerSegment, or set ${key} to 0`,
  }));
}

/** Wherever it stands: of all rules, or of one. */
function hasPrice(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([name, member]) => name === "costPerSegment" || hasPrice(member),
  );
}
