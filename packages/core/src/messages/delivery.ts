/** A delivery: one message on its way to one endpoint, and its attempts. */

import type { Protocol } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";
import type { DeliveryActionRecord } from "./delivery-action.ts";
import type { AttemptPart, DeliveryPart } from "./delivery-part.ts";
import type { DeliveryState } from "./delivery-state.ts";
import type { ExtraData } from "./message.ts";

/** Classes of failure, as the ledger and metrics have them. */
export const errorClasses = [
  "http_status",
  "timeout",
  "unreachable",
  "egress_refused",
  "smtp",
  "provider",
  "lane_full",
  "no_channel",
  "expired",
  "filtered",
  "guard",
  "interrupted",
  "internal",
  /** Of what is fetched: its mailbox did not take it, or nobody confirmed it. */
  "mailbox",
] as const;

/** Why an attempt failed, in the classes that metrics and filters use. */
export type ErrorClass = (typeof errorClasses)[number];

/** What can come of an attempt that costs money. */
export const attemptOutcomes = [
  "accepted",
  "delivered",
  "simulated",
  "deferred",
  "rejected",
  "unknown",
  "suppressed",
  "failed",
] as const;

/** What came of an attempt; `failed`: accepted, and failed by its receipt. */
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/**
 * How long the steps of an attempt took: whole milliseconds, absent where a step
 * was not made (a connection that was kept) or not measured.
 */
export interface AttemptTimings {
  /** Looking up the name of the host. */
  readonly dnsMs?: number;
  /** Opening the TCP connection, behind the look-up. */
  readonly connectMs?: number;
  /** The TLS handshake. */
  readonly tlsMs?: number;
  /** From the request's last byte to the answer's first. */
  readonly firstByteMs?: number;
}

/** Why a delivery waits although nothing of it failed. */
export const waitReasons = ["paused", "sms_batch", "email_batch"] as const;

/**
 * `paused`: every provider that it may go through is. `sms_batch`, `email_batch`:
 * the batch sender of that channel has not come to it.
 */
export type WaitReason = (typeof waitReasons)[number];

/** What one attempt led to. */
export interface Attempt extends AttemptTimings {
  readonly at: EpochMs;
  /** From its start to its outcome. */
  readonly durationMs: number;
  /** HTTP status or SMTP reply code. */
  readonly statusCode?: number;
  readonly errorClass?: ErrorClass;
  /** Plain text, with at most 200 characters of the receiver's answer. */
  readonly error?: string;
  /** The carrier adapter that was used. */
  readonly provider?: string;
  /** Of what costs money only. */
  readonly outcome?: AttemptOutcome;
  /** How long it waited for its turn before it began; absent: not at all. */
  readonly queuedMs?: number;
}

/**
 * The outcome of a delivery as it is written to the ledger. `lastAttempt` is
 * kept in the delivery's own row; earlier attempts move to the attempt list.
 */
export interface DeliveryOutcome {
  readonly messageSeq: number;
  /** Subscription number, or the index of a direct recipient. */
  readonly target: number;
  readonly state: DeliveryState;
  /** How many attempts were made. */
  readonly attempts: number;
  readonly lastAttempt?: Attempt;
  /** When to go on; of what is `sent`: when its silence has lasted too long. */
  readonly nextAttemptAt?: EpochMs;
  /** Goes on before `nextAttemptAt` when this ends: {@link WorkStore.makeDue}. */
  readonly waitReason?: WaitReason;
  /** Of the last attempt, for receipts; they need `provider`. */
  readonly parts?: readonly AttemptPart[];
  readonly provider?: string;
  /** The carrier will report on what is `sent`. */
  readonly receiptExpected?: true;
  /** When to ask the carrier for a report. */
  readonly pollAt?: EpochMs;
  /** A failed receipt is followed by the next attempt. */
  readonly failsOver?: true;
  /** Of what waits for a report: since when the idle timeout counts. */
  readonly idleFrom?: EpochMs;
  /** Parts of a long SMS. */
  readonly segments?: number;
  /** What the provider told besides; merged, member by member, into what it told. */
  readonly senderData?: ExtraData;
}

/** What a carrier can report of a text that it had accepted. */
export const receiptEvents = [
  "accept",
  "deliver",
  "expire",
  "reject",
  "fail",
] as const;

export type ReceiptEvent = (typeof receiptEvents)[number];

/** What a carrier said later about a part of a delivery (DLR). */
export interface Receipt {
  /** The provider it came through, by its name in the configuration. */
  readonly entry: string;
  /** The carrier's id of the part. */
  readonly externalId: string;
  readonly event: ReceiptEvent;
  /** When it came to us. */
  readonly at: EpochMs;
  /** The carrier's own code. */
  readonly code?: string;
  /** The carrier's own text. */
  readonly text?: string;
}

/** A delivery as it is read back. */
export interface Delivery {
  readonly messageSeq: number;
  readonly target: number;
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** Absent for direct recipients. */
  readonly subscriptionUrn?: string;
  readonly state: DeliveryState;
  readonly attemptCount: number;
  /** Oldest first; the last one is the current one. */
  readonly attempts: readonly Attempt[];
  /**
   * In the order in which they came, those too that changed nothing, as far as
   * they are kept ({@link enoughReceipts}); absent when none came.
   */
  readonly receipts?: readonly Receipt[];
  /** Of all attempts, oldest first; absent when there are none. */
  readonly parts?: readonly DeliveryPart[];
  /** What operators did, oldest first; absent when nobody did anything. */
  readonly actions?: readonly DeliveryActionRecord[];
  /** The end of the life that a resend gave it. */
  readonly expiresAt?: EpochMs;
  readonly nextAttemptAt?: EpochMs;
  /** Of what waits, where it is not for its turn or after a failure. */
  readonly waitReason?: WaitReason;
  /** The first part's of the last attempt that has parts. */
  readonly externalId?: string;
  readonly receiptExpected?: true;
  readonly pollAt?: EpochMs;
  readonly provider?: string;
  readonly segments?: number;
  /** What providers told besides, of all attempts. */
  readonly senderData?: ExtraData;
}
