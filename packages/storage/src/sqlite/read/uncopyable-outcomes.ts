/**
 * Outcomes with values that cannot be copied to the writer thread (a function,
 * a symbol), or whose lease is no duration. Looked for only when handing over a
 * batch has failed.
 */

import {
  type EpochMs,
  type RefusedOutcome,
  refusedOutcome,
} from "@carillon/core";
import type { EndOf, Outcome } from "../schema/delivery-table.ts";
import { toOutcomeColumns } from "../write/outcome-columns.ts";

/** The batch with those replaced by what can be kept in their place. */
export function replaceUncopyable(
  outcomes: readonly Outcome[],
  now: EpochMs,
  endOf: EndOf,
): { kept: readonly Outcome[]; refused: readonly RefusedOutcome[] } {
  const refused: RefusedOutcome[] = [];
  const kept: Outcome[] = [];
  for (const outcome of outcomes) {
    const reason = whyUncopyable(outcome, now, endOf);
    if (reason === undefined) {
      kept.push(outcome);
      continue;
    }
    const { messageSeq, target, fence } = outcome;
    refused.push({ messageSeq, target, reason });
    const substitute: Outcome = {
      ...refusedOutcome(outcome, reason, now),
      ...(fence !== undefined && { fence }),
    };
    // Without a key there is no row to say it in.
    const isCopyable = whyUncopyable(substitute, now, endOf) === undefined;
    if (isCopyable) kept.push(substitute);
  }
  return { kept, refused };
}

function whyUncopyable(
  outcome: Outcome,
  now: EpochMs,
  endOf: EndOf,
): string | undefined {
  try {
    structuredClone(toOutcomeColumns([outcome], now, endOf));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
