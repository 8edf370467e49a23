/**
 * A channel carries messages to the endpoints of some protocols. It makes one
 * attempt and says what came of it; when and how often is the engine's business.
 */

import type { SubscriptionId } from "../ids.ts";
import type {
  Attempt,
  AttemptTimings,
  ErrorClass,
  Receipt,
  WaitReason,
} from "../messages/delivery.ts";
import type { AttemptPart } from "../messages/delivery-part.ts";
import type { ExtraData, Message } from "../messages/message.ts";
import type { SendErrorName } from "../messages/send-error.ts";
import type { OtherSubscription } from "../messages/subscriber-once.ts";
import type { FilterPolicy } from "../subscriptions/filter-policy.ts";
import type {
  Protocol,
  ProtocolDefinition,
} from "../subscriptions/protocol.ts";
import type { SubscriptionSignature } from "../subscriptions/signature.ts";
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
  /** Of the endpoints it reaches. */
  readonly protocols: readonly ProtocolDefinition[];
  readonly kind: Exclude<ChannelKind, "pull">;
  /** An attempt takes at most this long, in milliseconds; the channel sees to it. */
  readonly timeoutMs: number;
  /**
   * Whether anything stands behind it now; absent: always. While nothing does,
   * deliveries fail as if there were no such channel.
   */
  isSetUp?(): boolean;
  /**
   * Attempts under way at once, at least 1, where it takes only so many in a time.
   * Others are not begun: they come later, and no attempt is counted of them.
   * `undefined`, or absent: as many as the engine makes.
   */
  maxInFlight?(): number | undefined;
  /**
   * Does the work that is the same for every recipient of a message (signing,
   * rendering), once.
   */
  prepare(message: Message): PreparedMessage | Promise<PreparedMessage>;
  /** Where its carriers can be asked for reports; absent: they only push them. */
  readonly polls?: CarrierPolls;
  /** Ends what is under way and frees connections; idempotent. */
  close(): Promise<void>;
}

/** Asks carriers what became of what they had accepted. */
export interface CarrierPolls {
  /**
   * How many ids one question to this entry may have, at least 1; `undefined`:
   * there is no such carrier at present, or it cannot be asked.
   */
  batchSizeOf(entry: string): number | undefined;
  /**
   * Asks once. Expected failures are answers, not exceptions; it settles soon
   * after the signal is aborted. It changes nothing at the carrier, so it may be
   * repeated.
   */
  ask(
    entry: string,
    externalIds: readonly string[],
    signal: AbortSignal,
  ): Promise<PollAnswer>;
}

/** A carrier's word on one id. */
export type PolledReceipt = Pick<
  Receipt,
  "externalId" | "event" | "code" | "text"
>;

/** What came of a question. */
export type PollAnswer =
  | {
      readonly outcome: "answered";
      /** Those ids that something is known of; the others are asked again. */
      readonly receipts: readonly PolledReceipt[];
    }
  | {
      /**
       * `deferred`: it may be answered later. `credentials`: once a person has set
       * them right. `refused`: something is wrong with the question itself, such
       * as one of its ids.
       */
      readonly outcome: "deferred" | "credentials" | "refused";
      readonly error: string;
      /** The carrier's wish when to come again; a floor. Milliseconds. */
      readonly retryAfterMs?: number;
    };

/**
 * A channel whose recipients fetch their messages. It makes no attempts, so it
 * has nothing to say but its protocols; confirming is the business of whoever
 * fetches.
 */
export interface PullChannel {
  readonly name: string;
  readonly protocols: readonly (ProtocolDefinition & {
    readonly confirmation: "none";
  })[];
  readonly kind: "pull";
}

/** The kind of the channel for a protocol; `undefined` when there is none. */
export function kindOf(
  channels: readonly (Channel | PullChannel)[],
  protocol: Protocol,
): ChannelKind | undefined {
  return channels.find(({ protocols }) =>
    protocols.some(({ name }) => name === protocol),
  )?.kind;
}

/** Why nothing is carried for a protocol: no channel for it is set up. */
export function noChannelText(protocol: Protocol): string {
  return protocol === "email"
    ? "No mail server is set up, so that no e-mail can be sent."
    : `No channel is set up for protocol ${protocol}.`;
}

/** What a delivery tried before, for the choice of the next provider. */
export type TriedAttempt = Pick<Attempt, "provider" | "outcome">;

/** The provider of one attempt, and what may follow it. */
export interface RouteChoice {
  /** By its name in the configuration. */
  readonly provider: string;
  /**
   * The id that the attempt will have at the carrier, where the provider chooses
   * it: it is recorded before the call. Should the engine die, the carrier is asked
   * by it, if it can be.
   */
  readonly chosenId?: string;
  /**
   * Attempts that go to the provider in one request, at most: as many times more
   * are under way at once. Absent: one.
   */
  readonly perRequest?: number;
  /** How often all providers were tried with this attempt, from 1. */
  readonly round: number;
  /**
   * One that was tried less often was passed over, for it fails at present: the
   * attempt comes no sooner than the schedule of retries says.
   */
  readonly passedOver: boolean;
  /** After an error, another provider is left in this round. */
  readonly hasNext: boolean;
  /** Another one is tried when no receipt came for so long, in milliseconds. */
  readonly silenceMs?: number;
  /** Another one is tried when a receipt says that it failed. */
  readonly nextOnFailedReceipt: boolean;
  /**
   * Gives back what the choice holds for an attempt that is not made; does
   * nothing once it was made.
   */
  release(): void;
}

/** Why no provider is called. */
export interface NoRoute {
  /**
   * `failed`: none ever will be; `wait`: one may be, after `waitMs`; `held`: the
   * text must not go to one, so that the delivery ends as `suppressed`.
   */
  readonly problem: "failed" | "wait" | "held";
  readonly error: string;
  readonly waitMs?: number;
  /** What it waits for, where that ends by itself: see `Engine.makeDue`. */
  readonly waitReason?: WaitReason;
}

/** A message made ready once, for attempts at many recipients. */
export interface PreparedMessage {
  /**
   * Of a billable channel: the provider of the next attempt. Chosen anew for
   * each attempt, by what was tried, oldest first. Absent: the channel has one
   * way only.
   */
  chooseRoute?(
    recipient: Recipient,
    tried: readonly TriedAttempt[],
  ): Promise<RouteChoice | NoRoute>;
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
    /** What `chooseRoute` answered: exactly this provider is called. */
    route?: RouteChoice,
  ): Promise<AttemptResult>;
}

/**
 * End an attempt that is not waited for any more: its engine stopped waiting
 * for all of them, or gave up this one, which kept silent beyond the channel's
 * `timeoutMs`. They also say how long what is attempted may still arrive.
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
  /**
   * How long the delivery still lives, in milliseconds at the time of reading:
   * what a carrier is to be told. Absent: the channel is not told.
   */
  readonly lifeLeftMs?: number;
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
  /** Number of the mailbox that it fetches from; only of pull protocols. */
  readonly mailbox?: number;
  /** Absent: signed as SMN does. */
  readonly signature?: SubscriptionSignature;
  /** Set by `readAudience` only: what was claimed has passed already. */
  readonly filterPolicies?: readonly FilterPolicy[];
  /** Set by `readAudience` only: its topic was deleted, nothing is sent. */
  readonly cancelled?: true;
  /**
   * Set by `readAudience` only, of a message to several topics: the subscriber's
   * subscriptions to the others. Absent: there are none.
   */
  readonly others?: readonly OtherSubscription[];
}

/**
 * What came of one attempt. An expected failure is a result, not an exception.
 */
export type AttemptResult = SuccessfulResult | FailedResult;

/** The result of an attempt that somebody took. */
export interface SuccessfulResult extends AttemptTimings {
  /** `delivered` when this is the last that can be known. */
  readonly outcome: "accepted" | "delivered" | "simulated";
  readonly statusCode?: number;
  /** What the carrier gave ids; `maxParts` at most. */
  readonly parts?: readonly AttemptPart[];
  readonly provider?: string;
  readonly segments?: number;
  /** The carrier will report on what it accepted. */
  readonly receiptExpected?: boolean;
  /**
   * How long to wait before the carrier is asked for a report on `parts`, by the
   * channel's `polls`. Absent: it is not asked.
   */
  readonly pollAfterMs?: number;
  /** What the provider told besides, to be kept with the delivery. */
  readonly senderData?: ExtraData;
}

/** See {@link FailedResult.refused}. */
export const refusedParts = ["message", "request"] as const;

export type RefusedPart = (typeof refusedParts)[number];

/** The result of an attempt that did not succeed, or that may not have. */
export interface FailedResult extends AttemptTimings {
  /**
   * `deferred`: another attempt may succeed. `rejected`: no attempt will. `unknown`:
   * it may have gone out. `suppressed`: the recipient opted out.
   */
  readonly outcome: "deferred" | "rejected" | "unknown" | "suppressed";
  readonly errorClass: ErrorClass;
  readonly error: string;
  /** What kind of failure it was, where the channel knows. */
  readonly errorName?: SendErrorName;
  /**
   * What a carrier said no to that has a state for each text: this very message, or
   * the request that it was in. Absent: something else.
   */
  readonly refused?: RefusedPart;
  readonly statusCode?: number;
  /** The receiver's wish when to come again; a floor. Milliseconds. */
  readonly retryAfterMs?: number;
  readonly provider?: string;
  /** Of an `unknown` outcome: ids that its receipts would name. */
  readonly parts?: readonly AttemptPart[];
  /**
   * Of an `unknown` outcome: how long to wait before the carrier is asked what
   * became of `parts`; at least {@link unknownPollDelayMs} pass. Absent: it is not
   * asked.
   */
  readonly pollAfterMs?: number;
  /** What the provider told besides, to be kept with the delivery. */
  readonly senderData?: ExtraData;
  /** Another provider may be tried at once. */
  readonly failsOver?: boolean;
}
