/** Asks the gateway's carriers what became of texts. */

import type { CarrierPolls, PollAnswer } from "@carillon/core";
import { AuthError, type Gateway, ProviderError } from "@carillon/gateway";
import { excerpt } from "../excerpt.ts";
import { receiptOfStatus } from "./receipt.ts";

export function createSmsPolls(
  gateway: Pick<Gateway, "pollingOf" | "fetchStatuses">,
): CarrierPolls {
  return {
    batchSizeOf: (entry) => gateway.pollingOf(entry)?.batchSize,
    async ask(entry, externalIds, signal) {
      try {
        const statuses = await gateway.fetchStatuses(entry, externalIds, {
          signal,
        });
        return {
          outcome: "answered",
          receipts: statuses.flatMap((it) => receiptOfStatus(it) ?? []),
        };
      } catch (error) {
        return answerOfError(error);
      }
    },
  };
}

function answerOfError(error: unknown): PollAnswer {
  const text = error instanceof Error ? error.message || error.name : error;
  const answer = { error: excerpt(String(text)) };
  if (!(error instanceof ProviderError)) {
    // Such as a provider that was removed meanwhile.
    return { outcome: "deferred", ...answer };
  }
  if (error instanceof AuthError) return { outcome: "credentials", ...answer };
  const { retryable, outcomeUnknown, retryAfterMs } = error;
  return {
    outcome: retryable || outcomeUnknown ? "deferred" : "refused",
    ...answer,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
