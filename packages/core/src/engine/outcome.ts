/** From the result of one attempt to what the ledger says and when to go on. */

import { expiresAtOf, type MessageLives } from "../messages/default-life.ts";
import type { Attempt, DeliveryOutcome } from "../messages/delivery.ts";
import { type PartState, stateOfParts } from "../messages/delivery-part.ts";
import {
  type DeliveryEvent,
  type DeliveryState,
  nextState,
} from "../messages/delivery-state.ts";
import { unknownPollDelayMs } from "../messages/merge-outcome.ts";
import type { Message } from "../messages/message.ts";
import type {
  AttemptResult,
  FailedResult,
  Recipient,
  RouteChoice,
  SuccessfulResult,
} from "../ports/channel.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { addMs, type EpochMs, toEpochMs } from "../time.ts";
import {
  type BatchRetries,
  type BatchRetriesOf,
  backoffOf,
  endOf,
  isRetried,
  isUnrelated,
  retriesOf,
  withoutEnd,
} from "./message-retries.ts";
import { type RetryPolicy, retryDelay } from "./retry-policy.ts";

/** One delivery to be tried. */
export interface SendItem {
  readonly message: Message;
  readonly recipient: Recipient;
  readonly state: DeliveryState;
  /** Attempts made so far. */
  readonly attempts: number;
  /** Of what costs money: who is called, and what may follow. */
  readonly route?: RouteChoice;
  /** The end of a life of its own; absent: its message's. */
  readonly expiresAt?: EpochMs;
  /** Of the attempts so far, those before an operator had it sent again. */
  readonly resentAfter?: number;
}

export interface OutcomeRules {
  readonly retryPolicy: RetryPolicy;
  /** Answers a number in [0, 1). */
  readonly random: () => number;
  /** How long messages live that were given no time to live. */
  readonly lives: MessageLives;
  /** Of messages that were stored for batches. Default: they are tried once. */
  readonly batchRetriesOf?: BatchRetriesOf | undefined;
  /**
   * Since when the idle timeout of what waits for a report counts, by its protocol,
   * when the message was made and its attempt began. Of what costs money only those
   * to recipients of their own are asked about. Default: never.
   */
  readonly idleFrom?: IdleFrom | undefined;
}

/** `undefined`: there is no idle timeout. */
export type IdleFrom = (facts: {
  readonly protocol: Protocol;
  readonly createdAt: EpochMs;
  readonly sentAt: EpochMs;
}) => EpochMs | undefined;

/** The rules of its own that a delivery is attempted again by, if it has any. */
function ownRetriesOf(
  { message, recipient }: SendItem,
  { batchRetriesOf }: OutcomeRules,
): BatchRetries | undefined {
  return retriesOf(message, recipient.protocol, batchRetriesOf);
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
  timing: Pick<Attempt, "at" | "durationMs" | "queuedMs">,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  const attempts = item.attempts + 1;
  // Built member by member: of a quick attempt's cost, spreading would be much.
  const lastAttempt: Writable<Attempt> = { ...timing };
  if (result.statusCode !== undefined)
    lastAttempt.statusCode = result.statusCode;
  if ("errorClass" in result) {
    lastAttempt.errorClass = result.errorClass;
    lastAttempt.error = result.error;
  }
  if (result.dnsMs !== undefined) lastAttempt.dnsMs = result.dnsMs;
  if (result.connectMs !== undefined) lastAttempt.connectMs = result.connectMs;
  if (result.tlsMs !== undefined) lastAttempt.tlsMs = result.tlsMs;
  if (result.firstByteMs !== undefined) {
    lastAttempt.firstByteMs = result.firstByteMs;
  }
  const outcome: Writable<Omit<DeliveryOutcome, "state" | "lastAttempt">> & {
    lastAttempt: Attempt;
  } = {
    messageSeq: item.message.seq,
    target: item.recipient.target,
    attempts,
    lastAttempt,
  };
  if (result.senderData !== undefined) outcome.senderData = result.senderData;
  // What was recorded before the call is who was called.
  const provider = item.route?.provider ?? result.provider;
  if (provider !== undefined) {
    lastAttempt.provider = provider;
    outcome.provider = provider;
    if (result.parts !== undefined && result.parts.length > 0) {
      outcome.parts =
        result.outcome === "delivered"
          ? result.parts.map((it) => ({ ...it, state: "delivered" }))
          : result.parts;
    }
  }
  if (billable) lastAttempt.outcome = result.outcome;
  const after = (event: DeliveryEvent) =>
    nextState(nextState(item.state, "attempt"), event);
  const own = ownRetriesOf(item, rules);
  switch (result.outcome) {
    case "accepted":
      return acceptedOutcome(item, outcome, result, billable, now, rules);
    case "delivered":
    case "simulated":
      if (result.segments !== undefined) outcome.segments = result.segments;
      return { ...outcome, state: after(successEvents[result.outcome]) };
    case "rejected":
      if (isFailedOver(item, result, now, rules)) return failOver();
      if (own) return followByOwn(own, result);
      return { ...outcome, state: after("reject") };
    case "suppressed":
      return { ...outcome, state: after("suppress") };
    case "unknown":
      if (isFailedOver(item, result, now, rules)) return failOver();
      // What costs money is not repeated on a guess; all else is.
      if (billable) {
        const polls = pollsOfUnknown(outcome, result, now);
        return { ...outcome, state: after("lose"), ...polls };
      }
      if (own) return retryByOwn(own, item, outcome, result, now, rules);
      return retryOrEnd(item, outcome, result, now, rules);
    case "deferred":
      if (isFailedOver(item, result, now, rules)) return failOver();
      if (own && isUnrelated(result)) {
        // By the engine's schedule, until its life ends: it uses up none of its own.
        const retryPolicy = withoutEnd(rules.retryPolicy, attempts);
        const lasting = { ...rules, retryPolicy };
        return retryOrEnd(item, outcome, result, now, lasting);
      }
      if (own) return followByOwn(own, result);
      if (isFinal(result, rules.retryPolicy)) {
        return { ...outcome, state: after("reject") };
      }
      return retryOrEnd(item, outcome, result, now, rules);
    default:
      return result satisfies never;
  }

  function followByOwn(own: BatchRetries, result: FailedResult) {
    return isRetried(own, result)
      ? retryByOwn(own, item, outcome, result, now, rules)
      : { ...outcome, state: after(endOf(own, result)) };
  }

  /** The next provider is tried at once. */
  function failOver(): DeliveryOutcome {
    return { ...outcome, state: after("retry"), nextAttemptAt: now };
  }
}

type Writable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

type OutcomeInProgress = Omit<DeliveryOutcome, "state"> & {
  readonly lastAttempt: Attempt;
};

function isFailedOver(
  item: SendItem,
  result: FailedResult,
  now: EpochMs,
  rules: OutcomeRules,
): boolean {
  return (
    result.failsOver === true &&
    item.route?.hasNext === true &&
    now < expiryOf(item, rules)
  );
}

/**
 * Of a delivery whose time is over. As pymess has it, what the last attempt failed
 * of stays its error.
 */
export function expiredOutcome(
  item: SendItem,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  const outcome = outcomeWithoutAttempt(
    item,
    "expire",
    {
      errorClass: "expired",
      error: "The time to live ran out before an attempt was made.",
    },
    now,
  );
  if (item.attempts === 0 || !ownRetriesOf(item, rules)?.nextRun) {
    return outcome;
  }
  const { lastAttempt: _, ...rest } = outcome;
  return rest;
}

/**
 * Of a delivery that was attempted more often than it may be by now, as pymess
 * counts; `undefined`: it was not. No attempt is counted, and its error stays.
 *
 * @param last its last attempt: what failed of a condition of ours is tried again
 */
export function exhaustedOutcome(
  item: SendItem,
  rules: OutcomeRules,
  last?: Pick<Attempt, "errorClass">,
): DeliveryOutcome | undefined {
  const own = ownRetriesOf(item, rules);
  const { attempts, resentAfter = 0 } = item;
  const isSent = item.state === "sent";
  if (isSent || !own?.nextRun || attempts - resentAfter <= own.maxRetries) {
    return undefined;
  }
  if (last !== undefined && isUnrelated(last)) return undefined;
  return {
    messageSeq: item.message.seq,
    target: item.recipient.target,
    attempts,
    state: nextState(item.state, "fail"),
  };
}

/** The outcome of a delivery that is not tried. */
export function outcomeWithoutAttempt(
  item: SendItem,
  event: "expire" | "fail" | "filter" | "suppress" | "cancel",
  reason: Partial<Pick<FailedResult, "errorClass" | "error">>,
  now: EpochMs,
): DeliveryOutcome {
  const outcome = {
    messageSeq: item.message.seq,
    target: item.recipient.target,
    attempts: item.attempts,
  };
  // A carrier has it; that no other is tried says nothing of that.
  if (item.state === "sent") {
    return { ...outcome, state: "sent", receiptExpected: true };
  }
  return {
    ...outcome,
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

/**
 * Of an attempt that a carrier accepted: by what it said of its parts, and what
 * follows on a failed receipt and on silence.
 */
function acceptedOutcome(
  item: SendItem,
  outcome: OutcomeInProgress,
  result: SuccessfulResult,
  billable: boolean,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  const { parts = [], segments, receiptExpected, pollAfterMs } = result;
  const { route } = item;
  const started = nextState(item.state, "attempt");
  const known = stateOfParts(parts.map(({ state = "sent" }) => state));
  const accepted = {
    ...outcome,
    state: nextState(started, partEvents[known]),
    ...(segments !== undefined && { segments }),
  };
  if (known !== "sent") return accepted;
  const silentAt =
    receiptExpected && route?.silenceMs !== undefined
      ? addMs(now, route.silenceMs)
      : undefined;
  // A text that would come after its time is not sent again.
  const nextAttemptAt =
    silentAt !== undefined && silentAt < expiryOf(item, rules)
      ? silentAt
      : undefined;
  const idleFrom =
    receiptExpected && (!billable || item.message.audience === "direct")
      ? rules.idleFrom?.({
          protocol: item.recipient.protocol,
          createdAt: item.message.createdAt,
          sentAt: outcome.lastAttempt.at,
        })
      : undefined;
  return {
    ...accepted,
    ...(receiptExpected && { receiptExpected }),
    // Without an id there is nothing to ask about.
    ...(pollAfterMs !== undefined &&
      outcome.parts !== undefined && { pollAt: addMs(now, pollAfterMs) }),
    ...(route?.nextOnFailedReceipt && { failsOver: true }),
    // Where silence leads to another provider, that comes first; if there is none
    // by then, the timeout goes on from there.
    ...(idleFrom !== undefined && {
      idleFrom: toEpochMs(Math.max(idleFrom, nextAttemptAt ?? 0)),
    }),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
  };
}

/** Of an attempt whose carrier can be asked whether it has it. */
function pollsOfUnknown(
  { parts }: OutcomeInProgress,
  { pollAfterMs }: FailedResult,
  now: EpochMs,
): Pick<DeliveryOutcome, "pollAt" | "receiptExpected"> {
  if (parts === undefined || pollAfterMs === undefined) return {};
  const waitMs = Math.max(pollAfterMs, unknownPollDelayMs);
  return { pollAt: addMs(now, waitMs), receiptExpected: true };
}

const partEvents = {
  sent: "accept",
  delivered: "deliver",
  failed: "fail",
  rejected: "reject",
  expired: "expire",
} as const satisfies Record<PartState, DeliveryEvent>;

const successEvents = {
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

/** By rules of the message's own. */
function retryByOwn(
  own: BatchRetries,
  item: SendItem,
  outcome: OutcomeInProgress,
  result: FailedResult,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  if (own.nextRun === undefined) {
    const retryPolicy = backoffOf(own, rules.retryPolicy);
    return retryOrEnd(item, outcome, result, now, { ...rules, retryPolicy });
  }
  const started = nextState(item.state, "attempt");
  const attempts = outcome.attempts - (item.resentAfter ?? 0);
  if (attempts > own.maxRetries) {
    return { ...outcome, state: nextState(started, "fail") };
  }
  return {
    ...outcome,
    state: nextState(started, "retry"),
    // Until then the batch sender comes to it; then its time is over.
    nextAttemptAt: expiryOf(item, rules),
    waitReason: own.nextRun,
  };
}

function retryOrEnd(
  item: SendItem,
  outcome: OutcomeInProgress,
  result: FailedResult,
  now: EpochMs,
  rules: OutcomeRules,
): DeliveryOutcome {
  const started = nextState(item.state, "attempt");
  const delayMs = retryDelay(
    rules.retryPolicy,
    // The schedule counts how often all providers were tried; since a resend.
    item.route?.round ?? outcome.attempts - (item.resentAfter ?? 0),
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
