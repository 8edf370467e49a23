/** Asks the gateway's carriers what became of texts. */

import type { CarrierPolls, Logger, PollAnswer } from "@carillon/core";
import { AuthError, type Gateway, ProviderError } from "@carillon/gateway";
import { excerpt } from "../excerpt.ts";
import { logUnknownStatus, receiptOfStatus } from "./receipt.ts";

export function createSmsPolls(
  gateway: Pick<Gateway, "pollingOf" | "fetchStatuses">,
  logger: Pick<Logger, "info">,
): CarrierPolls {
  return {
    batchSizeOf: (entry) => gateway.pollingOf(entry)?.batchSize,
    async ask(entry, externalIds, signal) {
      try {
        const statuses = await gateway.fetchStatuses(entry, externalIds, {
          signal,
        });
        const receipts = statuses.flatMap((status) => {
          const receipt = receiptOfStatus(status);
          if (receipt) return [receipt];
          logUnknownStatus(logger, status);
          return [];
        });
        return { outcome: "answered", receipts };
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
