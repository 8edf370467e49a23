/**
 * A channel carries messages to the endpoints of some protocols. It makes one
 * attempt and says what came of it; when and how often is the engine's business.
 */

import type { SubscriptionId } from "../ids.ts";
import type { ErrorClass } from "../messages/delivery.ts";
import type { Message } from "../messages/message.ts";
import type { FilterPolicy } from "../subscriptions/filter-policy.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { SubscriptionExtension } from "../subscriptions/subscription.ts";

/**
 * How a channel's messages come to their recipients.
 *
 * - `push`: the engine makes attempts, and repeats those whose outcome is
 *   unknown.
 * - `billable`: the same, but an attempt costs money: the engine records the
 *   intent durably before calling, and never repeats an attempt whose outcome
 *   is unknown.
 * - `pull`: the recipient fetches them; the engine makes no attempt.
 */
export type ChannelKind = "push" | "billable" | "pull";

/**
 * Carries messages to the endpoints of some protocols, one attempt at a time.
 */
export interface Channel {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  readonly kind: ChannelKind;
  /** An attempt takes at most this long, in milliseconds; the channel sees to it. */
  readonly timeoutMs: number;
  /**
   * Whether anything stands behind it now; absent: always. While nothing does,
   * deliveries fail as if there were no such channel.
   */
  isSetUp?(): boolean;
  /**
   * What keeps a text from being carried, as the end of a sentence: "a control
   * character (U+001B) at position 2". Absent when each text can be.
   */
  problemWithText?(text: string): string | undefined;
  /**
   * Does the work that is the same for every recipient of a message (signing,
   * rendering), once.
   */
  prepare(message: Message): PreparedMessage | Promise<PreparedMessage>;
  /** Ends what is under way and frees connections; idempotent. */
  close(): Promise<void>;
}

/** Whether attempts to endpoints of the protocol cost money. */
export function isBillable(
  channels: readonly Channel[],
  protocol: Protocol,
): boolean {
  return channels.some(
    (it) => it.kind === "billable" && it.protocols.includes(protocol),
  );
}

/**
 * What keeps a text from being sent by the name of a protocol, as the end of a
 * sentence; `undefined` when nothing does, as for `default`, which is any's.
 */
export type ProblemWithText = (
  protocol: string,
  text: string,
) => string | undefined;

/** By the rules of the channels that texts for one protocol alone go through. */
export function createProblemWithText(
  channels: readonly Channel[],
): ProblemWithText {
  return (protocol, text) =>
    channels
      .find(({ protocols }) => protocols.some((known) => known === protocol))
      ?.problemWithText?.(text);
}

/** Why nothing is carried for a protocol: no channel for it is set up. */
export function noChannelText(protocol: Protocol): string {
  return protocol === "email"
    ? "No mail server is set up, so that no e-mail can be sent."
    : `No channel is set up for protocol ${protocol}.`;
}

/** A message made ready once, for attempts at many recipients. */
export interface PreparedMessage {
  /**
   * Makes one attempt. Expected failures are results, not exceptions; it settles
   * within the channel's `timeoutMs`. Once one of the signals is aborted it
   * starts nothing, frees the connection it has, and settles soon with error
   * class `interrupted`: `unknown` if it costs money and may have gone out,
   * else `deferred`. Without signals it ends by its own time alone.
   */
  deliver(
    recipient: Recipient,
    signals?: AttemptSignals,
  ): Promise<AttemptResult>;
}

/**
 * End an attempt that is not waited for any more: its engine stopped waiting
 * for all of them, or gave up this one, which kept silent beyond the channel's
 * `timeoutMs`.
 *
 * A signal with a listener for each attempt would cost more than the rest of a
 * quick one. So there are two, and a channel reads the one that fits:
 *
 * - `engineSignal` is the same object for all attempts of an engine. A channel
 *   that keeps account of its attempts and of their time itself, as the one for
 *   http does, listens to it once and needs nothing for each attempt.
 * - `signal` is the attempt's own. It is made when it is read, so attempts of
 *   a channel that does not read it cost nothing.
 */
export interface AttemptSignals {
  /** Aborted when the engine stops waiting; the same for all its attempts. */
  readonly engineSignal: AbortSignal;
  /** Aborted with `engineSignal`, and when this attempt alone is given up. */
  readonly signal: AbortSignal;
}

/** One endpoint of a message's audience. */
export interface Recipient {
  /** Subscription number, or the index of a direct recipient. */
  readonly target: number;
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** Absent for direct recipients. */
  readonly subscriptionId?: SubscriptionId;
  /** The subscription's, for the link by which its subscriber leaves. */
  readonly generation?: number;
  readonly extension?: SubscriptionExtension;
  /** Set by `readAudience` only: what was claimed has passed already. */
  readonly filterPolicies?: readonly FilterPolicy[];
  /** Set by `readAudience` only: its topic was deleted, nothing is sent. */
  readonly cancelled?: true;
}

/**
 * What came of one attempt. An expected failure is a result, not an exception.
 */
export type AttemptResult =
  | {
      /** `delivered` when this is the last that can be known. */
      readonly outcome: "accepted" | "delivered" | "simulated";
      readonly statusCode?: number;
      readonly externalId?: string;
      readonly provider?: string;
      readonly segments?: number;
    }
  | FailedResult;

/** The result of an attempt that did not succeed, or that may not have. */
export interface FailedResult {
  /**
   * `deferred`: another attempt may succeed. `rejected`: no attempt will. `unknown`:
   * it may have gone out. `suppressed`: the recipient opted out.
   */
  readonly outcome: "deferred" | "rejected" | "unknown" | "suppressed";
  readonly errorClass: ErrorClass;
  readonly error: string;
  readonly statusCode?: number;
  /** The receiver's wish when to come again; a floor. Milliseconds. */
  readonly retryAfterMs?: number;
  readonly provider?: string;
}
