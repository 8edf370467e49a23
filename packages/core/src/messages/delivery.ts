/** A delivery: one message on its way to one endpoint, and its attempts. */

import type { Protocol } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";
import type { DeliveryActionRecord } from "./delivery-action.ts";
import type { DeliveryState } from "./delivery-state.ts";

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
  "interrupted",
  "internal",
] as const;

/** Why an attempt failed, in the classes that metrics and filters use. */
export type ErrorClass = (typeof errorClasses)[number];

/** What one attempt led to. */
export interface Attempt {
  readonly at: EpochMs;
  readonly durationMs: number;
  /** HTTP status or SMTP reply code. */
  readonly statusCode?: number;
  readonly errorClass?: ErrorClass;
  /** Plain text, with at most 200 characters of the receiver's answer. */
  readonly error?: string;
  /** The carrier adapter that was used. */
  readonly provider?: string;
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
  /** When to go on. */
  readonly nextAttemptAt?: EpochMs;
  /** The provider's id of the message, for receipts. */
  readonly externalId?: string;
  readonly provider?: string;
  /** Parts of a long SMS. */
  readonly segments?: number;
}

/** What a carrier can report of a text that it had accepted. */
export const receiptEvents = [
  "accept",
  "deliver",
  "expire",
  "reject",
  "fail",
] as const;

/** What a carrier said later about a delivery (DLR). */
export interface DeliveryReceipt {
  readonly event: (typeof receiptEvents)[number];
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
   * In the order in which they came, those too that changed nothing; absent
   * when none came.
   */
  readonly receipts?: readonly DeliveryReceipt[];
  /** What operators did, oldest first; absent when nobody did anything. */
  readonly actions?: readonly DeliveryActionRecord[];
  /** The end of the life that a resend gave it. */
  readonly expiresAt?: EpochMs;
  readonly nextAttemptAt?: EpochMs;
  readonly externalId?: string;
  readonly provider?: string;
  readonly segments?: number;
}
