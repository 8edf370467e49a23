/** From the result of one attempt to what the ledger says and when to go on. */

import { expiresAtOf, type MessageLives } from "../messages/default-life.ts";
import type { Attempt, DeliveryOutcome } from "../messages/delivery.ts";
import {
  type DeliveryEvent,
  type DeliveryState,
  nextState,
} from "../messages/delivery-state.ts";
import type { Message } from "../messages/message.ts";
import type {
  AttemptResult,
  FailedResult,
  Recipient,
} from "../ports/channel.ts";
import { addMs, type EpochMs } from "../time.ts";
import { type RetryPolicy, retryDelay } from "./retry-policy.ts";

/** One delivery to be tried. */
export interface SendItem {
  readonly message: Message;
  readonly recipient: Recipient;
  readonly state: DeliveryState;
  /** Attempts made so far. */
  readonly attempts: number;
  /** The end of the life that a resend gave it; absent: its message's. */
  readonly expiresAt?: EpochMs;
}

export interface OutcomeRules {
  readonly retryPolicy: RetryPolicy;
  /** Answers a number in [0, 1). */
  readonly random: () => number;
  /** How long messages live that were given no time to live. */
  readonly lives: MessageLives;
}

/** When a delivery's time to live is over. */
export function expiryOf(
  { message, recipient, expiresAt }: SendItem,
  { lives }: OutcomeRules,
): EpochMs {
  return expiresAt ?? expiresAtOf(message, recipient.protocol, lives);
}

/** The outcome of an attempt that was made. */
export function outcomeOfAttempt(
  item: SendItem,
  result: AttemptResult,
  billable: boolean,
  timing: Pick<Attempt, "at" | "durationMs">,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  const attempts = item.attempts + 1;
  const lastAttempt: Attempt = {
    ...timing,
    ...(result.statusCode !== undefined && { statusCode: result.statusCode }),
    ...(result.provider !== undefined && { provider: result.provider }),
    ...("errorClass" in result && {
      errorClass: result.errorClass,
      error: result.error,
    }),
  };
  const outcome = {
    messageSeq: item.message.seq,
    target: item.recipient.target,
    attempts,
    lastAttempt,
    ...(result.provider !== undefined && { provider: result.provider }),
  };
  const after = (event: DeliveryEvent) =>
    nextState(nextState(item.state, "attempt"), event);
  switch (result.outcome) {
    case "accepted":
    case "delivered":
    case "simulated":
      return {
        ...outcome,
        state: after(successEvents[result.outcome]),
        ...(result.externalId !== undefined && {
          externalId: result.externalId,
        }),
        ...(result.segments !== undefined && { segments: result.segments }),
      };
    case "rejected":
      return { ...outcome, state: after("reject") };
    case "suppressed":
      return { ...outcome, state: after("suppress") };
    case "unknown":
      // What costs money is not repeated on a guess; all else is.
      if (billable) return { ...outcome, state: after("lose") };
      return retryOrEnd(item, outcome, result, now, rules);
    case "deferred":
      if (isFinal(result, rules.retryPolicy)) {
        return { ...outcome, state: after("reject") };
      }
      return retryOrEnd(item, outcome, result, now, rules);
    default:
      return result satisfies never;
  }
}

/** The outcome of a delivery that is not tried. */
export function outcomeWithoutAttempt(
  item: SendItem,
  event: "expire" | "fail" | "filter" | "cancel",
  reason: Partial<Pick<FailedResult, "errorClass" | "error">>,
  now: EpochMs,
): DeliveryOutcome {
  return {
    messageSeq: item.message.seq,
    target: item.recipient.target,
    attempts: item.attempts,
    state: nextState(item.state, event),
    lastAttempt: { at: now, durationMs: 0, ...reason },
  };
}

/**
 * The outcome of a delivery whose message is sealed with a key that is not
 * there: as of an attempt that failed for now, since keys come back.
 */
export function outcomeOfUnreadable(
  item: SendItem,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  return outcomeOfAttempt(
    item,
    {
      outcome: "deferred",
      errorClass: "internal",
      error: "The message is sealed, and cannot be opened with the keys here.",
    },
    false,
    { at: now, durationMs: 0 },
    now,
    rules,
  );
}

const successEvents = {
  accepted: "accept",
  delivered: "deliver",
  simulated: "simulate",
} as const satisfies Record<string, DeliveryEvent>;

/** Whether the policy takes for a refusal what the channel would try again. */
function isFinal(result: FailedResult, policy: RetryPolicy): boolean {
  const { errorClass, statusCode = 0 } = result;
  return (
    !policy.retryClientErrors &&
    // SMTP has codes of 4xx, too, which mean the opposite.
    errorClass === "http_status" &&
    statusCode >= 400 &&
    statusCode < 500
  );
}

function retryOrEnd(
  item: SendItem,
  outcome: Omit<DeliveryOutcome, "state"> & { readonly lastAttempt: Attempt },
  result: FailedResult,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  const started = nextState(item.state, "attempt");
  const delayMs = retryDelay(
    rules.retryPolicy,
    outcome.attempts,
    rules.random,
    result.retryAfterMs,
  );
  if (delayMs === undefined) {
    return { ...outcome, state: nextState(started, "fail") };
  }
  const nextAttemptAt = addMs(now, delayMs);
  if (nextAttemptAt < expiryOf(item, rules)) {
    return { ...outcome, state: nextState(started, "retry"), nextAttemptAt };
  }
  const { lastAttempt } = outcome;
  return {
    ...outcome,
    state: nextState(started, "expire"),
    lastAttempt: {
      ...lastAttempt,
      error: `${result.error} ${whyExpired(delayMs, result)}`,
    },
  };
}

function whyExpired(
  delayMs: number,
  { retryAfterMs = 0 }: FailedResult,
): string {
  const end = "which is after the end of the message's time to live";
  const seconds = Math.ceil(delayMs / 1000);
  return retryAfterMs >= delayMs
    ? `It asked to wait ${Math.ceil(retryAfterMs / 1000)} s, ${end}.`
    : `The next attempt would come in ${seconds} s, ${end}.`;
}
