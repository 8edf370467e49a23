/**
 * What is in mailboxes: deliveries that their subscribers fetch. They are written
 * at fan-out as `waiting`; no engine looks at them. Whoever fetches one leases it:
 * it is `sending`, nobody else gets it, and it waits again once the lease ends.
 *
 * A lease is the consumer's, not a node's: it outlives restarts, nobody renews it
 * but its consumer, and it has an instant at which it ends. Instants are those of
 * the steady clock, which nobody sets while the service runs. If the machine's
 * clock was set back while the service was down, no lease is longer at the next
 * start than it was granted for.
 *
 * Within a mailbox messages are handed out in the order of their numbers. One
 * with an ordering key is handed out only when no earlier one of the mailbox with
 * that key waits, and none is leased.
 *
 * Each method is one transaction that is on disk before the promise resolves; but
 * for `leaseMessages`, which a power cut may undo: then its leases ended early.
 */

import type { LegacyConfirm } from "../pull/mailbox.ts";
import type { EpochMs } from "../time.ts";

/** Names a delivery in a mailbox, and the lease that it is under. */
export interface LeaseKey {
  readonly messageSeq: number;
  readonly target: number;
  /** Grows with each lease of the delivery. */
  readonly fence: number;
}

/** A delivery that somebody has fetched and not confirmed. */
export interface MessageLease extends LeaseKey {
  /** How often it was handed out, this time counted. */
  readonly deliveryCount: number;
  readonly until: EpochMs;
  /** Of the subscription that it came through. */
  readonly topicSeq: number;
  /** Of a stream: its place in the stream; see {@link MessageQueueStore.openStream}. */
  readonly eventId?: number;
}

/** Asks for messages of a mailbox. */
export interface LeaseRequest {
  /** Number of the mailbox. */
  readonly mailbox: number;
  readonly limit: number;
  readonly leaseMs: number;
  /**
   * Of the stream that they are for: the number that `openStream` answered, or the
   * id of the last event that it was given. Its events get the ids behind it.
   */
  readonly stream?: number;
}

/** A GET of the Notipy protocol; see `legacy-receive.ts`. */
export interface LegacyReceive {
  readonly mailbox: number;
  readonly limit: number;
  readonly leaseMs: number;
  /** A GET so soon after the one before may be a confirmation; milliseconds. */
  readonly confirmWindowMs: number;
  /** `auto`: the rule applies until the subscriber confirms by id. */
  readonly legacyConfirm: LegacyConfirm;
}

/** A delivery on the dead-letter list of a mailbox. */
export interface DeadMessage {
  readonly messageSeq: number;
  readonly target: number;
  readonly topicSeq: number;
  readonly deliveryCount: number;
  readonly reason: string;
  readonly diedAt: EpochMs;
}

/** What came of looking for leases that ended. */
export interface EndedLeases {
  /** Wait again. */
  readonly returned: number;
  /** Were handed out as often as may be: `failed`, on the dead-letter list. */
  readonly dead: number;
  readonly mayHaveMore: boolean;
}

/** A delivery that was in a mailbox and came to its end. */
export interface SettledMessage {
  readonly messageSeq: number;
  readonly target: number;
  /** Of the subscription that it came through. */
  readonly topicSeq: number;
  /** `failed`: it was handed out as often as may be. */
  readonly state: "delivered" | "failed" | "expired";
}

/** What one transaction did to messages in mailboxes. */
export interface QueueOutcomes {
  readonly settled: readonly SettledMessage[];
  /** Leases that ended by time, and whose messages wait again. */
  readonly returned: number;
}

/** Keeps what is in mailboxes, and who has leased it. */
export interface MessageQueueStore {
  /**
   * Leases messages that wait, for each request those of its mailbox, oldest first;
   * answers in the order of the requests. Fewer than the limit: no more of the
   * mailbox may be leased by now. Leases that ended meanwhile are ended first, as
   * {@link endLeases} does, in bounded number. What is not wanted any more becomes
   * `cancelled` instead, in bounded number: if there is more of it, fewer are
   * answered, and {@link watchMailboxes} tells the mailbox. What is past its life is
   * left to {@link expireMessages}.
   */
  leaseMessages(
    requests: readonly LeaseRequest[],
    now: EpochMs,
    maxDeliveries: number,
  ): Promise<readonly (readonly MessageLease[])[]>;
  /**
   * Whether {@link leaseMessages} may find anything; costs no write. Also true when
   * a lease of the mailbox ended by now.
   */
  mayHaveMessages(mailbox: number, now: EpochMs): Promise<boolean>;
  /**
   * Its subscriber has handled them: `delivered`. Answers for each whether it is
   * confirmed, and was not leased again since. Nothing is written for those that were
   * confirmed already, whose lease ended before, or is of another mailbox.
   */
  ackLeases(
    mailbox: number,
    keys: readonly LeaseKey[],
    now: EpochMs,
  ): Promise<readonly boolean[]>;
  /**
   * Gives them back: they wait again, after `delayMs`, or are dead if they were
   * handed out as often as may be. Answers for each whether the lease still held;
   * nothing is written for those whose lease did not, or is of another mailbox.
   */
  nackLeases(
    mailbox: number,
    keys: readonly LeaseKey[],
    options: { readonly delayMs: number; readonly maxDeliveries: number },
    now: EpochMs,
  ): Promise<readonly boolean[]>;
  /** Leases end `leaseMs` from now. Answers as {@link nackLeases} does. */
  extendLeases(
    mailbox: number,
    keys: readonly LeaseKey[],
    leaseMs: number,
    now: EpochMs,
  ): Promise<readonly boolean[]>;
  /**
   * They were not handed out after all: they wait again, and the delivery is not
   * counted. Answers as {@link nackLeases} does.
   */
  returnLeases(
    mailbox: number,
    keys: readonly LeaseKey[],
    now: EpochMs,
  ): Promise<readonly boolean[]>;
  /** Ends leases, and delays, that are over by now, oldest end first. */
  endLeases(
    now: EpochMs,
    maxDeliveries: number,
    limit: number,
  ): Promise<EndedLeases>;
  /** When the first lease or delay ends; `undefined`: there is none. */
  nextLeaseEnd(): Promise<EpochMs | undefined>;
  /**
   * A stream of a mailbox begins. Its events get the ids behind the answered
   * number, which grow by one with each and are greater than those of all streams
   * of the mailbox before it.
   */
  openStream(mailbox: number): Promise<number>;
  /**
   * Hands what a stream that broke off may not have got to the one that resumes it:
   * leases with a greater id than `afterEventId` of the stream that this id is of.
   * They are leased anew, oldest id first, under new ids; which counts as a
   * delivery. What was handed out as often as may be is left to its lease's end.
   */
  resumeStream(
    request: LeaseRequest & { readonly stream: number },
    afterEventId: number,
    now: EpochMs,
    maxDeliveries: number,
  ): Promise<readonly MessageLease[]>;
  /**
   * A GET of the Notipy protocol, decided and carried out in one transaction: an
   * empty answer may be a confirmation.
   */
  receiveLegacy(
    request: LegacyReceive,
    now: EpochMs,
    maxDeliveries: number,
  ): Promise<readonly MessageLease[]>;
  /**
   * A PUT of the Notipy protocol: these messages of the mailbox, leased or
   * waiting, are `delivered`, or wait again at once (`isSuccess` false). Marks the
   * mailbox, once any is `delivered`, as one whose subscriber confirms by id. Others
   * are passed over.
   *
   * @returns how many were `delivered`, or wait again
   */
  confirmMessages(
    mailbox: number,
    messageSeqs: readonly number[],
    isSuccess: boolean,
    now: EpochMs,
  ): Promise<number>;
  /** Oldest message first, behind the number `after`. */
  listDeadMessages(
    mailbox: number,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly DeadMessage[]>;
  /**
   * Dead ones wait again, as never handed out, until `expiresAt`: those named, or
   * the `limit` oldest; none where the mailbox is disabled, and no more than its
   * quota has room for.
   *
   * @returns how many wait again
   */
  redriveMessages(
    mailbox: number,
    choice:
      | { readonly messageSeqs: readonly number[] }
      | { readonly limit: number },
    expiresAt: EpochMs,
    now: EpochMs,
  ): Promise<number>;
  /**
   * Takes at most `limit` messages that died by then from their dead-letter lists,
   * those of mailboxes that were deleted, too; they stay `failed`.
   *
   * @returns how many there were
   */
  forgetDeadMessages(diedBy: EpochMs, limit: number): Promise<number>;
  /**
   * Ends at most `limit` deliveries that nobody fetched in time: `expired`. What is
   * leased is left until its lease ends.
   *
   * @returns how many there were
   */
  expireMessages(now: EpochMs, limit: number): Promise<number>;
  /**
   * Cancels what waits in mailboxes for subscriptions that were deleted, and what
   * is in mailboxes that were. Nobody is handed any of it meanwhile. Looks at no more
   * than `limit` messages, and goes on from there the next time.
   *
   * @returns whether there is more to look at
   */
  cancelWithdrawn(now: EpochMs, limit: number): Promise<boolean>;
  /**
   * Calls `listener` with the numbers of mailboxes in which there may be something
   * to lease by now, until the answered function is called. A hint, after the
   * commit: each at most once per call. It never throws. What becomes ready by
   * time alone is told once {@link endLeases} found it.
   */
  watchMailboxes(listener: (mailboxes: readonly number[]) => void): () => void;
  /**
   * Calls `listener` with what came of messages by writes of this process, whatever
   * operation it was, until the answered function is called. After the commit, each
   * once. What is cancelled is not among it. It never throws.
   */
  watchOutcomes(listener: (outcomes: QueueOutcomes) => void): () => void;
}

/**
 * Numbers of a stream's events: so many in each stream, at most. The number of
 * the stream and the place in it make the id.
 */
export const maxEventsOfStream = 2 ** 20;
