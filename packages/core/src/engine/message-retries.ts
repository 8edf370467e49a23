/**
 * Whether and when a message with rules of its own is attempted again: those of
 * batch mode, or once only. All others go by the engine's schedule.
 */

import type { WaitReason } from "../messages/delivery.ts";
import type { Message, MessageRetries } from "../messages/message.ts";
import { type SendErrorName, transientErrors } from "../messages/send-error.ts";
import type { FailedResult } from "../ports/channel.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** The rules of batch mode, as they are set now. */
export interface BatchRetries {
  /** Attempts behind the first one; 0: none. */
  readonly maxRetries: number;
  /** Failures that are followed by another attempt; absent: all of them. */
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
  if (retriedErrors === undefined) return true;
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
