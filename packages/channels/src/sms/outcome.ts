/** From what the gateway said to the result of an attempt. */

import {
  type AttemptResult,
  type FailedResult,
  type SendErrorName,
  sendErrorNames,
  toStorable,
} from "@carillon/core";
import {
  ConfigurationError,
  type DeliveryPolicy,
  HeldError,
  type KnownState,
  type OutgoingMessage,
  ProviderConnectionError,
  ProviderError,
  type StatusPolling,
  SuppressedError,
} from "@carillon/gateway";
import { excerpt } from "../excerpt.ts";

type PollingOf = (provider: string) => StatusPolling | undefined;

/** @param pollingOf how a provider is asked, if it is */
export function outcomeOfSent(
  sent: OutgoingMessage,
  segments: number,
  pollingOf: PollingOf,
): AttemptResult {
  // Not a forward server's own name of it: receipts come under this name.
  const provider = sent.choice?.provider ?? sent.provider;
  const { msgid, simulated, knownState, senderData } = sent;
  // Nothing is reported of what no carrier was given, or has no id.
  const isReported = !simulated && knownState === undefined;
  const polling =
    provider !== null && msgid !== null && isReported
      ? pollingOf(provider)
      : undefined;
  const isPushed = sent.providerOptions.statusReport && isReported;
  return {
    outcome: simulated ? "simulated" : successes[knownState ?? "sent"],
    segments,
    ...(msgid !== null && { parts: [{ externalId: toStorable(msgid) }] }),
    ...((isPushed || polling) && { receiptExpected: true }),
    ...(polling && { pollAfterMs: polling.firstAfterMs }),
    ...(provider !== null && { provider }),
    ...(senderData && { senderData }),
  };
}

const successes = {
  sent: "accepted",
  delivered: "delivered",
} as const satisfies Record<KnownState, AttemptResult["outcome"]>;

/**
 * An error that says neither "not sent" nor "try again" leaves it open whether
 * the text went out; it is then not repeated, for it may cost twice.
 */
export function outcomeOfError(
  error: unknown,
  policy?: Pick<DeliveryPolicy, "shouldFailOver">,
): FailedResult {
  // After an error of the set-up nothing was sent: another may be set up right.
  const failsOver =
    policy !== undefined &&
    (error instanceof ConfigurationError || policy.shouldFailOver(error));
  return { ...resultOfError(error), ...(failsOver && { failsOver }) };
}

function resultOfError(error: unknown): FailedResult {
  if (error instanceof HeldError) {
    return { ...failed("suppressed", error), errorClass: "guard" };
  }
  if (error instanceof SuppressedError) {
    return failed("suppressed", error);
  }
  if (error instanceof ProviderError) {
    if (error.outcomeUnknown) return failed("unknown", error);
    if (!error.retryable) return failed("rejected", error);
    const { retryAfterMs } = error;
    return {
      ...failed("deferred", error),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }
  if (error instanceof ConfigurationError) {
    // Nothing was sent; it goes out once the set-up is corrected.
    return {
      outcome: "deferred",
      errorClass: "internal",
      error: excerpt(error.message),
    };
  }
  return {
    outcome: "unknown",
    errorClass: "provider",
    error: excerpt(error instanceof Error ? error.message : String(error)),
  };
}

/**
 * With what is known of how it was sent. Where the outcome is unknown, the id that
 * the provider had chosen is kept: a later report names it, and the carrier is
 * asked by it.
 *
 * @param pollingOf how a provider is asked, if it is
 */
export function withSenderData(
  result: FailedResult,
  {
    msgid,
    choice,
    senderData,
  }: Pick<OutgoingMessage, "msgid" | "choice" | "senderData">,
  pollingOf: PollingOf,
): FailedResult {
  const told = { ...result, ...(senderData && { senderData }) };
  if (result.outcome !== "unknown" || msgid === null) return told;
  const polling = choice ? pollingOf(choice.provider) : undefined;
  return {
    ...told,
    parts: [{ externalId: toStorable(msgid) }],
    ...(polling && { pollAfterMs: polling.firstAfterMs }),
  };
}

export function outcomeOfTimeout(timeoutMs: number): FailedResult {
  return {
    outcome: "unknown",
    errorClass: "timeout",
    error: `The provider did not answer within ${timeoutMs / 1000} s; the text may have gone out.`,
  };
}

/** The gateway's class, as settings name it. */
function settingsNameOf(error: ProviderError): SendErrorName | undefined {
  const name = error.name.replace(/^Provider/, "");
  return sendErrorNames.find((known) => known === name);
}

function failed(
  outcome: FailedResult["outcome"],
  error: ProviderError,
): FailedResult {
  const { provider, refused } = error;
  const isUnreachable = error instanceof ProviderConnectionError;
  const errorName = settingsNameOf(error);
  return {
    outcome,
    errorClass: isUnreachable ? "unreachable" : "provider",
    error: excerpt(error.message || error.name),
    ...(errorName !== undefined && { errorName }),
    ...(refused !== undefined && { refused }),
    ...(provider !== undefined && { provider }),
  };
}
