/**
 * What becomes of a delivery when something is reported of it: by an attempt,
 * by a receipt, or by the store that cannot keep the report. Every store calls
 * these; none has rules of its own.
 */

import type { EpochMs } from "../time.ts";
import type { Attempt, DeliveryOutcome, Receipt } from "./delivery.ts";
import {
  type DeliveryState,
  deliveryTransitions,
  isFinal,
  isSettled,
} from "./delivery-state.ts";
import type { ExtraData } from "./message.ts";

/**
 * The state of a delivery in state `known` of which an attempt reports another.
 * What is open may become anything; what is settled only what the table of
 * transitions allows, and what is `sent` is not taken back by a late report.
 */
export function mergeStates(
  known: DeliveryState,
  reported: DeliveryState,
): DeliveryState {
  const isAllowed =
    !isSettled(known) ||
    (Object.values(deliveryTransitions[known]).includes(reported) &&
      (known !== "sent" || isFinal(reported)));
  return isAllowed ? reported : known;
}

/**
 * What providers told of a delivery once an attempt tells more: member by member,
 * the last word of each. `null` is such a word.
 */
export function mergeSenderData(
  known: ExtraData | undefined,
  told: ExtraData,
): ExtraData {
  return { ...known, ...told };
}

/**
 * What is kept in place of an outcome that a store can never keep as it is, so
 * that one bad row ends as a failure with its reason and holds up no other.
 */
export function refusedOutcome(
  outcome: Pick<DeliveryOutcome, "messageSeq" | "target" | "attempts">,
  reason: string,
  at: EpochMs,
): DeliveryOutcome {
  const { messageSeq, target, attempts } = outcome;
  return {
    messageSeq,
    target,
    state: "failed",
    attempts: Number.isSafeInteger(attempts) && attempts >= 0 ? attempts : 1,
    lastAttempt: {
      at,
      durationMs: 0,
      errorClass: "internal",
      error: `The outcome could not be kept: ${reason.slice(0, 200)}`,
    },
  };
}

/**
 * What is kept of an attempt that costs money and whose end nobody saw: it began
 * at `at`, and the service ended, or its lease did, before its outcome was
 * written.
 */
export function lostAttempt(
  provider: string | undefined,
  at: EpochMs,
): Attempt {
  return {
    at,
    durationMs: 0,
    errorClass: "interrupted",
    error: "The service ended during the attempt; it may have gone out.",
    ...(provider !== undefined && { provider }),
    outcome: "unknown",
  };
}

/**
 * How long after an attempt of unknown outcome its carrier is asked at the
 * earliest, in milliseconds: a request that is still with the carrier has become
 * a text by then, so that what it does not find then never came there.
 */
export const unknownPollDelayMs = 120_000;

/** What is kept of an accepted attempt whose report did not come in time. */
export function failedByTimeout(
  timeoutMinutes: number,
): Required<Pick<Attempt, "errorClass" | "error" | "outcome">> {
  return {
    errorClass: "timeout",
    // The first word is pymess's error text.
    error: `timeouted: no report of the delivery came within ${timeoutMinutes} minutes.`,
    outcome: "failed",
  };
}

/** What is kept of an accepted attempt once its receipt says that it failed. */
export function failedByReceipt(
  attempt: Attempt,
  { event, code, text }: Pick<Receipt, "event" | "code" | "text">,
): Attempt {
  const words = [text, code && `(${code})`].filter(Boolean).join(" ");
  return {
    ...attempt,
    errorClass: "provider",
    error: `The carrier reported: ${event}${words && `, ${words}`}.`,
    outcome: "failed",
  };
}
