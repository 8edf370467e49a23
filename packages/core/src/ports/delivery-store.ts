/**
 * What the engine asks of a store. All writes of one call happen in one
 * transaction that is on disk before the promise resolves; concurrent calls may
 * share it (group commit).
 *
 * What an engine works on is claimed: it has an owner, a lease and a fence.
 * Leases run on the store's own monotonic time, so no node's clock decides over
 * another's: callers give durations. A claim whose lease ended is free once
 * {@link DeliveryStore.reclaimLapsed} finds it; from then on the former owner's
 * fence is stale and what it still writes is left out.
 */

import type {
  Attempt,
  DeliveryOutcome,
  DeliveryReceipt,
} from "../messages/delivery.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { Message, NewMessage } from "../messages/message.ts";
import type { EpochMs } from "../time.ts";
import type { Recipient } from "./channel.ts";

/**
 * A run of a message's audience, walked by one engine at a time: recipients
 * with `afterTarget < target <= uptoTarget`. The last range of a message is
 * open (`uptoTarget` undefined) until it is split or found to be the end.
 */
export interface AudienceRange {
  readonly messageSeq: number;
  /** The topic whose audience it is a run of. */
  readonly topicSeq: number;
  readonly afterTarget: number;
  readonly uptoTarget: number | undefined;
  /** Grows with each claim; a writer with an older number is refused. */
  readonly fence: number;
}

/** Asks for work to be held for one engine, so that no other takes it up. */
export interface Lease {
  /** Names the engine that works on it. */
  readonly owner: string;
  /** How long it lasts from when the store grants it, in milliseconds. */
  readonly leaseMs: number;
}

/** What waits for an engine. */
export interface PendingWork {
  /** Whether there are ranges that nobody holds. */
  readonly hasRanges: boolean;
  /** When the next delivery falls due; `undefined` if none will. */
  readonly nextDueAt: EpochMs | undefined;
}

/** How much waits for engines, as far as it was looked at. */
export interface Backlog {
  /** Deliveries that wait for their first attempt, due or not. */
  readonly waiting: number;
  /** Deliveries that wait for another one. */
  readonly retrying: number;
  /** Ranges that nobody holds. */
  readonly ranges: number;
}

/** What engines held whose leases ended. */
export interface ReclaimedWork {
  /** Ranges and deliveries that are free again. */
  readonly freed: number;
  /** Billable attempts that were interrupted: `unknown` now. */
  readonly interrupted: number;
}

/**
 * An outcome that the store can never keep as it is (a type, a constraint). In
 * its place {@link refusedOutcome} was written, together with all others.
 */
export interface RefusedOutcome {
  readonly messageSeq: number;
  readonly target: number;
  readonly reason: string;
}

/** What became of a range that was to be ended. */
export interface RangeEnd {
  /** False: the lease was lost and nothing was written. */
  readonly kept: boolean;
  readonly refused: readonly RefusedOutcome[];
}

/** A due delivery, claimed: its intent to send is on disk. */
export interface ClaimedDelivery {
  readonly messageSeq: number;
  readonly recipient: Recipient;
  /** As it was before the claim; `sending`: its last claim was lost. */
  readonly state: DeliveryState;
  /** Attempts made before this claim. */
  readonly attempts: number;
  readonly lastAttempt?: Attempt;
  /** The end of the life that a resend gave it; absent: its message's. */
  readonly expiresAt?: EpochMs;
  readonly fence: number;
}

/** An outcome that is written only if the claim still holds. */
export interface FencedOutcome extends DeliveryOutcome {
  readonly fence: number;
  /** The attempt before this one, to be kept in the list of attempts. */
  readonly previousAttempt?: Attempt;
}

/** What a provider reported later about a delivery. */
export interface Receipt extends DeliveryReceipt {
  readonly provider: string;
  readonly externalId: string;
}

/** Keeps messages, their deliveries and who works on them. */
export interface DeliveryStore {
  /**
   * Keeps a message for its topic's audience. With a lease the message's first
   * range comes back claimed, so that no second write precedes the first
   * attempt.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_REFUSED;
   * then nothing was kept
   */
  acceptMessage(
    message: NewMessage,
    lease: Lease | undefined,
  ): Promise<{ seq: number; range: AudienceRange | undefined }>;
  /** Keeps a message for these recipients; each delivery is due at once. */
  acceptDirectMessage(
    message: NewMessage,
    recipients: readonly Pick<Recipient, "protocol" | "endpoint">[],
    billable: boolean,
  ): Promise<{ seq: number }>;

  /** Claims ranges that nobody holds, oldest message first. */
  claimRanges(
    lease: Lease,
    limit: number,
  ): Promise<
    readonly { readonly range: AudienceRange; readonly message: Message }[]
  >;
  /**
   * The next recipients of a range, in order of target, at most `limit`:
   * subscriptions that are confirmed (or need no confirmation), and, marked
   * `cancelled`, those that were when their topic was deleted.
   */
  readAudience(
    range: AudienceRange,
    limit: number,
  ): Promise<readonly Recipient[]>;
  /**
   * Cuts a range behind `uptoTarget`, which lies within it; the rest becomes a
   * range of its own, which nobody holds. `undefined`: the lease was lost.
   */
  splitRange(
    range: AudienceRange,
    uptoTarget: number,
  ): Promise<{ range: AudienceRange } | undefined>;
  /** Writes a range's outcomes and removes it, both or neither. */
  completeRange(
    range: AudienceRange,
    outcomes: readonly RangeOutcome[],
  ): Promise<RangeEnd>;
  /** Gives a claimed range back unworked. */
  releaseRange(range: AudienceRange): Promise<void>;

  /**
   * Claims due deliveries, longest due first: each is `sending` on disk before
   * this resolves. Those that nobody wants any more become `cancelled` instead.
   *
   * @param now what is due by then is claimed
   */
  claimDue(
    lease: Lease,
    now: EpochMs,
    limit: number,
  ): Promise<readonly ClaimedDelivery[]>;
  /**
   * Writes outcomes and ends their claims; those whose fence is stale are left
   * out.
   */
  recordOutcomes(
    outcomes: readonly FencedOutcome[],
  ): Promise<readonly RefusedOutcome[]>;

  /**
   * Keeps all that an owner holds, ranges and deliveries, leased for
   * `leaseMs` from now; also what has lapsed and was not reclaimed yet.
   */
  renewLeases(lease: Lease): Promise<void>;
  /**
   * Frees what is held by leases that ended: ranges and deliveries can be
   * claimed again; billable attempts under way become `unknown`.
   *
   * @param now when this was found, for the records
   */
  reclaimLapsed(now: EpochMs): Promise<ReclaimedWork>;
  /** What waits to be claimed now. */
  peekWork(): Promise<PendingWork>;

  /**
   * What waits, for metrics: it looks at `limit` deliveries and as many ranges at
   * most, those due first, so that its cost is bounded.
   */
  countBacklog(limit: number): Promise<Backlog>;

  /**
   * Applies a receipt to its delivery; when no delivery has that id yet the
   * receipt is kept and applied with the outcome that brings the id.
   */
  recordReceipt(receipt: Receipt): Promise<void>;

  findMessageBySeq(seq: number): Promise<Message | undefined>;
}

/** An outcome of the fast path, or a delivery that is deferred. */
export interface RangeOutcome extends DeliveryOutcome {
  /**
   * Its round in an escalation, from 1. One that is due in a later round than
   * the first is cancelled when an earlier round delivered the message.
   */
  readonly round?: number;
  /** True: only a claim may start it, and a lost attempt is unknown. */
  readonly billable?: boolean;
  /**
   * Its attempt is still under way: the delivery is `sending`, claimed with
   * fence 0 until its outcome comes through `recordOutcomes`.
   */
  readonly lease?: Lease;
}
