/**
 * Whether and when a message with rules of its own is attempted again: those of
 * batch mode, or once only. All others go by the engine's schedule.
 */

import type { Attempt, WaitReason } from "../messages/delivery.ts";
import type { Message, MessageRetries } from "../messages/message.ts";
import { type SendErrorName, transientErrors } from "../messages/send-error.ts";
import type { FailedResult } from "../ports/channel.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** The rules of batch mode, as they are set now. */
export interface BatchRetries {
  /** Attempts behind the first one; 0: none. */
  readonly maxRetries: number;
  /**
   * Failures that are followed by another attempt. Absent: as pymess has it, all
   * but those of carriers that say for good what became of a text.
   */
  readonly retriedErrors?: readonly SendErrorName[];
  /**
   * As pymess counts: the next run of the batch sender makes the next attempt,
   * which waits for it for this reason, without backoff.
   */
  readonly nextRun?: WaitReason;
}

/** Answers the rules of batch mode for a protocol; absent: it has none. */
export type BatchRetriesOf = (protocol: Protocol) => BatchRetries | undefined;

/** Of a message that is attempted once. */
const never: BatchRetries = { maxRetries: 0 };

/** `undefined`: the engine's schedule holds. */
export function retriesOf(
  { retries }: Pick<Message, "retries">,
  protocol: Protocol,
  batchRetriesOf: BatchRetriesOf | undefined,
): BatchRetries | undefined {
  if (retries === undefined) return undefined;
  return ownRetries[retries](protocol, batchRetriesOf);
}

const ownRetries: Readonly<
  Record<
    MessageRetries,
    (protocol: Protocol, of: BatchRetriesOf | undefined) => BatchRetries
  >
> = {
  batch: (protocol, of) => of?.(protocol) ?? never,
  none: () => never,
};

/** Whether a failure is of a kind that is followed by another attempt. */
export function isRetried(
  { retriedErrors }: BatchRetries,
  result: FailedResult,
): boolean {
  if (retriedErrors === undefined) return result.refused === undefined;
  const name = errorNameOf(result);
  // Something that no carrier said, such as a mistake in the set-up.
  if (name === undefined) return result.outcome !== "rejected";
  if (!retriedErrors.includes(name)) return false;
  // A kind that may pass, of which it was said that this one does not.
  return (
    result.outcome !== "rejected" ||
    !transientErrors.some((transient) => transient === name)
  );
}

/** What a failure ends as that is followed by no other attempt. */
export function endOf(
  { retriedErrors }: BatchRetries,
  { outcome, refused }: Pick<FailedResult, "outcome" | "refused">,
): "reject" | "fail" {
  // pymess keeps the state that a carrier gave a text; all else is its ERROR.
  if (retriedErrors === undefined && refused !== undefined) {
    return refused === "message" ? "reject" : "fail";
  }
  return outcome === "rejected" ? "reject" : "fail";
}

/**
 * Whether what made an attempt fail for now lies with us, so that it says nothing
 * of the recipient, nor of who carries it: the service stopped, or something that
 * belongs to the message could not be read.
 */
export function isUnrelated({
  errorClass,
}: Pick<FailedResult | Attempt, "errorClass">): boolean {
  return errorClass === "interrupted" || errorClass === "internal";
}

/** A schedule that goes on at its longest wait behind its end. */
export function withoutEnd(policy: RetryPolicy, attempts: number): RetryPolicy {
  const { delaysMs } = policy;
  const missing = Math.max(0, attempts - delaysMs.length);
  const longest = delaysMs.at(-1) ?? longestDelayMs;
  return {
    ...policy,
    delaysMs: [...delaysMs, ...Array<number>(missing).fill(longest)],
  };
}

/** As the channel names it, else by its class. */
function errorNameOf(result: FailedResult): SendErrorName | undefined {
  if (result.errorName !== undefined) return result.errorName;
  const { errorClass, outcome } = result;
  if (errorClass === "unreachable" || errorClass === "timeout") {
    return "ConnectionError";
  }
  if (errorClass !== "smtp" && errorClass !== "provider") return undefined;
  return outcome === "rejected" ? "RequestError" : "ServerError";
}

const firstDelayMs = 30_000;
const longestDelayMs = 3_600_000;

/** Half a minute, then twice as long each time, up to an hour. */
export function backoffOf(
  { maxRetries }: BatchRetries,
  policy: RetryPolicy,
): RetryPolicy {
  return {
    ...policy,
    name: "batch",
    delaysMs: Array.from({ length: maxRetries }, (_, n) =>
      Math.min(firstDelayMs * 2 ** n, longestDelayMs),
    ),
  };
}
