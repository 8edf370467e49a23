/**
 * The work that engines on one store share: a range of a message's audience, or
 * one delivery that is due. One port for both: work is claimed, its lease is
 * renewed, and it is finished or released.
 *
 * What is claimed has an owner (the engine), a lease and a fence. Time is the
 * store's own: calls give durations, answers give what is left of them, and no
 * node's clock decides over another's lease. A claim whose lease ended is free
 * once {@link WorkStore.reclaim} finds it; from then on the former owner's fence
 * is stale, and what it still writes is left out.
 *
 * All writes of one call happen in one transaction that is on disk before the
 * promise resolves; concurrent calls may share it (group commit).
 */

import type { MessageId } from "../ids.ts";
import type {
  Attempt,
  DeliveryOutcome,
  WaitReason,
} from "../messages/delivery.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { Message } from "../messages/message.ts";
import type { Urgency } from "../messages/urgency.ts";
import type { EpochMs } from "../time.ts";
import type { Recipient } from "./channel.ts";

/** What there is to claim. */
export type WorkKind = "range" | "delivery";

/**
 * A range of a message's audience, worked by one engine at a time: recipients
 * with `afterTarget < target <= uptoTarget`, or all behind `afterTarget`.
 */
export interface AudienceRange {
  readonly messageSeq: number;
  /** The topic whose subscriptions it is a range of. */
  readonly topicSeq: number;
  /**
   * The topic's place among those of a message to several, from 0. Absent: it
   * has one.
   */
  readonly topicPosition?: number;
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

/** Which work is asked for. */
export interface ClaimRequest {
  readonly kinds: readonly WorkKind[];
  /** How many pieces at most, of each kind. */
  readonly limit: number;
  /**
   * A range of more recipients is cut behind so many, and the rest is free for
   * other engines. Default: none is cut.
   */
  readonly rangeSize?: number;
  /** Of ranges that were cut, how many at most. Default: `limit`. */
  readonly maxCutRanges?: number;
  /** Of deliveries, those of these urgencies, in their order. Default: all. */
  readonly urgencies?: readonly Urgency[];
}

/** What was claimed; on disk before it is answered. */
export interface ClaimedWork {
  /** Least recently served message first. */
  readonly ranges: readonly ClaimedRange[];
  /**
   * Each urgency has its share of the limit, and more where others left some (see
   * `urgency.ts`). The most urgent first, of each the longest due first; each is
   * `sending`. Those that nobody wants any more became `cancelled` instead.
   */
  readonly deliveries: readonly ClaimedDelivery[];
  /** Whether more of these kinds may be due now. */
  readonly mayHaveMore: boolean;
}

/** A range of an audience, claimed, and the message it is of. */
export interface ClaimedRange {
  readonly range: AudienceRange;
  readonly message: Message;
  /**
   * The message was cancelled while another held the range, which may have made
   * attempts: no more are made, and each recipient is recorded.
   */
  readonly isCancelled?: true;
}

/** A due delivery, claimed: its intent to send is on disk. */
export interface ClaimedDelivery {
  readonly messageSeq: number;
  readonly recipient: Recipient;
  /** Of the recipient's subscription; absent for direct recipients. */
  readonly topicSeq?: number;
  /** As it was before the claim; `sending`: its last claim was lost. */
  readonly state: DeliveryState;
  /** Attempts made before this claim. */
  readonly attempts: number;
  readonly lastAttempt?: Attempt;
  /** Those before the last one, oldest first; only of what costs money. */
  readonly earlierAttempts?: readonly Attempt[];
  /** The end of a life of its own; absent: its message's. */
  readonly expiresAt?: EpochMs;
  /** Attempts made before an operator had it sent again; absent: none. */
  readonly resentAfter?: number;
  readonly fence: number;
}

/** A message to one subscription whose delivery was claimed as it was added. */
export interface ClaimedNotice {
  readonly message: Message;
  readonly delivery: ClaimedDelivery;
}

/** A delivery that waited for a reason, and is due now. */
export interface ReleasedDelivery {
  readonly messageSeq: number;
  readonly target: number;
  /** Made so far. */
  readonly attempts: number;
}

/** What became of one meanwhile. */
export interface ReleasedState extends ReleasedDelivery {
  readonly messageId: MessageId;
  readonly state: DeliveryState;
}

/** An attempt that costs money, as it is recorded before the call. */
export interface AttemptIntent {
  readonly messageSeq: number;
  readonly target: number;
  /** Of the claim. */
  readonly fence: number;
  /**
   * The one that will be called, by its name in the configuration; absent where
   * the channel has one way only.
   */
  readonly provider?: string;
  /** The id that it will have at the carrier, where the provider chooses it. */
  readonly externalId?: string;
  readonly at: EpochMs;
}

/** Work that came to its end, and what came of it. */
export type FinishedWork = FinishedRange | FinishedDeliveries;

/** A range that was worked, wholly or in part, and the deliveries of it. */
export interface FinishedRange {
  readonly range: AudienceRange;
  readonly outcomes: readonly RangeOutcome[];
  /**
   * The range was worked up to here only; the rest becomes a range that is
   * free. Absent: all of it was.
   */
  readonly uptoTarget?: number;
}

/** Claimed deliveries, each with what came of its attempt. */
export interface FinishedDeliveries {
  readonly deliveries: readonly FencedOutcome[];
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
  /** Of its row, as long as that waits. Default: {@link defaultUrgency}. */
  readonly urgency?: Urgency;
  /**
   * Its subscriber fetches it: see `MessageQueueStore`. The store writes it as
   * `failed` instead when the mailbox is full or disabled.
   */
  readonly pull?: {
    /** Number of the mailbox. */
    readonly mailbox: number;
    readonly expiresAt: EpochMs;
    readonly orderingKey?: string;
  };
  /**
   * Its attempt is still under way: the delivery is `sending`, claimed with
   * fence 0 until its outcome comes.
   */
  readonly lease?: Lease;
}

/** An outcome that is written only if the claim still holds. */
export interface FencedOutcome extends DeliveryOutcome {
  readonly fence: number;
  /** The attempt before this one, to be kept in the list of attempts. */
  readonly previousAttempt?: Attempt;
}

/** What became of work that was to be finished. */
export interface FinishReport {
  /** False of a range whose lease was lost: nothing was written. */
  readonly kept: boolean;
  readonly refused: readonly RefusedOutcome[];
  /** Deliveries that no mailbox took: `failed`. Absent: all were taken. */
  readonly unqueued?: readonly UnqueuedDelivery[];
  /**
   * How many recipients, about, are in what may be claimed since: the range of the
   * message's next topic, whose turn it is now, or those of the next message of its
   * ordering key. Absent: there is none.
   */
  readonly unclaimed?: number;
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

/** A delivery that its mailbox did not take. */
export interface UnqueuedDelivery {
  readonly messageSeq: number;
  readonly target: number;
  /** It is full, or disabled, or was deleted. */
  readonly reason: string;
}

/** Claimed work that is given back as it was. */
export type ReleasedWork =
  | { readonly range: AudienceRange }
  | { readonly delivery: ClaimedDelivery };

/** What engines held whose leases ended. */
export interface ReclaimedWork {
  /** Ranges and deliveries that are free again. */
  readonly freed: number;
  /** Billable attempts that were interrupted: `unknown` now. */
  readonly interrupted: number;
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

/**
 * In how many milliseconds the first piece of each kind is due that nobody
 * holds; not positive: it is due. A kind without any is absent. An urgent delivery
 * is one that is not bulk (see `urgency.ts`).
 */
export type NextDue = Readonly<
  Partial<Record<WorkKind | "urgentDelivery", number>>
>;

/** Hands out work to engines, and takes it back. */
export interface WorkStore {
  /**
   * Claims work that is due and that nobody holds; no range of a message while an
   * earlier one of its project with the same ordering key has any that is due.
   */
  claim(lease: Lease, request: ClaimRequest): Promise<ClaimedWork>;
  /**
   * The next recipients of a range, in order of target, at most `limit`:
   * subscriptions that are confirmed (or need no confirmation), and, marked
   * `cancelled`, those that were when their topic was deleted. Of a message to
   * several topics each comes with the other subscriptions to them that have the
   * same protocol and endpoint and are active or have a delivery of the message;
   * deleted subscriptions are not among these.
   */
  readAudience(
    range: AudienceRange,
    limit: number,
  ): Promise<readonly Recipient[]>;
  /**
   * Keeps all that an owner holds, ranges and deliveries, for `leaseMs` from
   * now; also what has lapsed and was not reclaimed yet.
   */
  renew(lease: Lease): Promise<void>;
  /**
   * Records which provider each of these claims is about to call, all in one
   * transaction; answers for each whether its claim still holds. From then on a
   * claim whose lease ends becomes `unknown`, with the attempt in its ledger;
   * before, it is only free again. One with an `externalId` then has it as its
   * part, with what was reported of it, and its carrier is asked
   * {@link unknownPollDelayMs} later.
   */
  recordIntents(intents: readonly AttemptIntent[]): Promise<readonly boolean[]>;
  /**
   * Writes outcomes and ends the claims that they are of, both or neither.
   * Outcomes of deliveries whose fence is stale are left out. With the last range
   * of a topic of a message to several the next topic that has anybody to send
   * to gets its range, in the same transaction.
   */
  finish(work: FinishedWork): Promise<FinishReport>;
  /**
   * Gives work back as it was before the claim: to be claimed at once, or
   * deliveries in `delayMs`, or, if it is `Infinity`, never those that are `sent`.
   * What is not held any more is left alone. That a delivery is `sent` again is
   * no change, and neither told nor counted.
   */
  release(
    work: readonly ReleasedWork[],
    options?: { readonly delayMs?: number },
  ): Promise<void>;
  /**
   * Frees what is held by leases that ended: it can be claimed again; billable
   * attempts under way, whose intent was recorded, become `unknown`.
   */
  reclaim(): Promise<ReclaimedWork>;
  /**
   * Makes at most `limit` deliveries due now that wait for this reason, by
   * urgency, then by age, and takes the reason from them, in one transaction.
   * They are answered in this order, and claimed in it within their urgency.
   */
  makeDue(
    reason: WaitReason,
    limit: number,
  ): Promise<readonly ReleasedDelivery[]>;
  /** As they stand, in any order; those that are gone are left out. */
  readReleased(
    deliveries: readonly ReleasedDelivery[],
  ): Promise<readonly ReleasedState[]>;
  nextDue(): Promise<NextDue>;
  /**
   * What waits, for metrics: it looks at `limit` deliveries and as many ranges
   * at most, the most urgent and those due first, so that its cost is bounded.
   */
  countBacklog(limit: number): Promise<Backlog>;
}
