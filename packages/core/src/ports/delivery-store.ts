/**
 * What becomes of messages: they are accepted, and providers report on their
 * deliveries later. What is between is {@link WorkStore}.
 */

import type { Receipt } from "../messages/delivery.ts";
import type { DeliveryPart } from "../messages/delivery-part.ts";
import type { Message, NewMessage } from "../messages/message.ts";
import type { EpochMs } from "../time.ts";
import type { Recipient } from "./channel.ts";
import type { AudienceRange, Lease } from "./work-store.ts";

/** Asks for the first range of a message's audience. */
export interface RangeLease extends Lease {
  /** How many recipients it may have; the rest is free for other engines. */
  readonly rangeSize: number;
}

/** A message that is on disk. */
export interface AcceptedMessage {
  readonly seq: number;
  /** Claimed, if a lease was given and there is anybody to send to. */
  readonly range: AudienceRange | undefined;
  /** How many recipients, about, are in ranges that nobody holds. */
  readonly unclaimed: number;
}

/** Where there is somebody to be asked for reports. */
export interface DuePolls {
  /** The provider, by its name in the configuration. */
  readonly entry: string;
  /** Until the first of its deliveries is due; 0 or less: it is, since then. */
  readonly dueInMs: number;
}

/** What is asked of a carrier about a delivery that it took, or may have. */
export interface ClaimedPoll {
  readonly messageSeq: number;
  readonly target: number;
  /** Made so far; the last one is asked about. */
  readonly attempts: number;
  /** When the last one ended: the carrier had it by then, if it has it. */
  readonly sentAt: EpochMs;
  /** Those of the last attempt. */
  readonly parts: readonly DeliveryPart[];
}

/** One whom a message names itself. */
export interface DirectRecipient
  extends Pick<Recipient, "protocol" | "endpoint"> {
  /** Whether an attempt costs money. */
  readonly billable: boolean;
}

/** When to ask again. */
export interface NextPoll {
  readonly messageSeq: number;
  readonly target: number;
  /** As they were claimed: of a later attempt nothing is changed. */
  readonly attempts: number;
  /** `undefined`: not any more. */
  readonly pollAt: EpochMs | undefined;
}

/** How a receipt came: the carrier called, or was asked. */
export type ReceiptSource = "pushed" | "polled";

/** Keeps messages, and what is reported of their deliveries. */
export interface DeliveryStore {
  /**
   * Keeps a message for the audience of its topic, or of its topics: of several,
   * the first that has anybody to send to has the first range. With a lease the
   * message's first range comes back claimed, so that no second write precedes
   * the first attempt; none is asked for a message with a `notBefore`, whose range
   * is not due yet. It does not while an earlier message of its ordering key is
   * fanned out (see {@link WorkStore.claim}).
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_REFUSED;
   * then nothing was kept
   */
  acceptMessage(
    message: NewMessage,
    lease: RangeLease | undefined,
  ): Promise<AcceptedMessage>;
  /**
   * Keeps a message for these recipients; each delivery is due at once, or at
   * the message's `notBefore`.
   */
  acceptDirectMessage(
    message: NewMessage,
    recipients: readonly DirectRecipient[],
  ): Promise<{ seq: number }>;
  /**
   * Applies a receipt to the part with its entry and id, and so to its delivery;
   * when there is none yet the receipt is kept and applied with the outcome that
   * brings the id. One that was asked for is left out when it is no news (see
   * {@link isNews}): carriers say the same each time they are asked, and may have
   * pushed it meanwhile. So is one that was pushed, once {@link enoughReceipts}
   * of its part are kept; before there is a part it is news unless one with its
   * event is kept. Answers when the next attempt is due, if the receipt led to one.
   */
  recordReceipt(
    receipt: Receipt,
    /** Default: it was pushed. */
    source?: ReceiptSource,
  ): Promise<EpochMs | undefined>;
  /**
   * The entries that have deliveries to ask about, now or later, with what is
   * left until the first of them. Costs what there are entries, however many
   * deliveries wait.
   */
  listDuePolls(): Promise<readonly DuePolls[]>;
  /**
   * Deliveries, `sent` or `unknown`, that an entry is to be asked about now,
   * longest due first, and whether there may be more. They fall due again after `leaseMs`, unless
   * {@link schedulePolls} or a final state comes first.
   */
  claimPolls(
    entry: string,
    leaseMs: number,
    limit: number,
  ): Promise<{
    readonly polls: readonly ClaimedPoll[];
    readonly mayHaveMore: boolean;
  }>;
  /** Leaves out those whose reports are not waited for any more. */
  schedulePolls(polls: readonly NextPoll[]): Promise<void>;
  findMessageBySeq(seq: number): Promise<Message | undefined>;
}
