/**
 * What consumers do with a mailbox: fetch, wait, confirm, stream. All ways share
 * one queue: what one consumer has leased no other gets.
 *
 * Crash before the commit of a lease: nothing was handed out. Crash after it,
 * whether the consumer got the answer or not: the message waits again when the
 * lease ends, with the same id; after a power cut maybe earlier. Crash before the commit of an ack: the ack was not
 * answered, and the message comes again. After it: it is `delivered`.
 */

import type { MessageId } from "../ids.ts";
import type { ExtraData, MessageAttribute } from "../messages/message.ts";
import type { LeaseKey } from "../ports/message-queue-store.ts";
import type { EpochMs } from "../time.ts";
import type { MailboxAccount } from "./mailbox.ts";

/** Of the whole service; each may change while it runs. */
export interface PullSettings {
  /** How long a lease is, unless the consumer says otherwise; milliseconds. */
  readonly leaseMs: number;
  /** See `legacy-receive.ts`; milliseconds. */
  readonly confirmWindowMs: number;
  /** How often a message is handed out before it is dead. */
  readonly maxDeliveries: number;
  /** How many days a message stays on a dead-letter list. */
  readonly deadLetterDays: number;
  /** Of mailboxes that are made without one. */
  readonly mailboxQuota: number;
}

/** What holds where nothing is configured. */
export const defaultPullSettings: PullSettings = {
  leaseMs: 60_000,
  confirmWindowMs: 9000,
  maxDeliveries: 10,
  deadLetterDays: 30,
  mailboxQuota: 100_000,
};

/** Bounds of what a consumer may ask for. */
export const pullLimits = {
  /** Messages of one answer. */
  max: 100,
  defaultMax: 10,
  /** Seconds of a long poll. */
  waitSeconds: 60,
  /** Milliseconds of a lease that a consumer asks for: 5 s to 12 h. */
  minLeaseMs: 5000,
  maxLeaseMs: 12 * 3_600_000,
  /** Milliseconds until what is given back comes again. */
  nackDelayMs: 12 * 3_600_000,
  /** Ids of one ack, nack or extend. */
  leaseIds: 1000,
  /** Messages that a stream's consumer has not settled, by default and at most. */
  credit: 16,
  maxCredit: 1000,
} as const;

/** A message as a consumer gets it. */
export interface PulledMessage {
  readonly key: LeaseKey;
  readonly leaseUntil: EpochMs;
  readonly deliveryCount: number;
  /** Grows with acceptance; what the Notipy protocol calls its id. */
  readonly messageSeq: number;
  readonly messageId: MessageId;
  readonly subject?: string;
  readonly body: string;
  readonly data?: ExtraData;
  readonly attributes?: readonly MessageAttribute[];
  readonly topicUrn: string;
  /** References of the categories it was published to, or names of its topics. */
  readonly categories: readonly string[];
  readonly orderingKey?: string;
  readonly createdAt: EpochMs;
}

/** What came of an ack, a nack or an extend, by lease. */
export interface SettledLeases {
  readonly settled: readonly LeaseKey[];
  /** Their lease had ended, or there was none. */
  readonly stale: readonly LeaseKey[];
}

/** How messages are asked for; unchecked bounds are the API's. */
export interface ReceiveOptions {
  readonly max: number;
  /** Default: that of the settings. */
  readonly leaseMs?: number | undefined;
  /** Waits so long for the first one. Default: not at all. */
  readonly waitMs?: number | undefined;
  /**
   * Aborted when the consumer went away: it is answered with none, and what was
   * being leased for it waits again, uncounted.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Why a stream ends. */
export type StreamEnd =
  /** The service stops. */
  | "stopping"
  /**
   * It is asked for anew, with credentials that still hold: after a while, when
   * they were changed, or its project was disabled or deleted; also when its consumer
   * settled or extended nothing for as long as a lease was: the line may be dead.
   */
  | "renew"
  /** The consumer took nothing for too long. */
  | "blocked"
  /** Another connection resumes it. */
  | "resumed_elsewhere"
  /** The mailbox was deleted, or disabled. */
  | "mailbox_gone";

/** Where a stream goes. */
export interface StreamOutput {
  /**
   * Called once, before all others: its events are numbered behind this. Told to its
   * consumer, it is what that resumes by if it breaks off before the first event.
   */
  begin(startId: number): void;
  /** False: it takes no more for now, until {@link MailboxStream.drained}. */
  deliver(message: PulledMessage, eventId: number): boolean;
  /** Something is to be sent, so that the connection is seen to live. */
  beat(): void;
  /** Says why, and closes; of a blocked one it cuts the connection. */
  end(reason: StreamEnd): void;
}

/** How a stream is opened. */
export interface StreamOptions {
  /** Messages that are handed out and not settled, at most. */
  readonly credit: number;
  readonly leaseMs?: number | undefined;
  /** Of the last event that the consumer has seen. */
  readonly lastEventId?: number | undefined;
}

/** An open stream. */
export interface MailboxStream {
  /** The output takes more. */
  drained(): void;
  /** From now on so many at most. */
  setCredit(credit: number): void;
  /**
   * The connection is gone. What was leased stays leased, or is given back at once
   * if the consumer said that it goes.
   */
  close(options?: { readonly giveBack?: boolean }): void;
}

/** Hands messages of mailboxes to their consumers. */
export interface Mailboxes {
  /**
   * Leases messages; oldest first. Answers at once when there are any, else once
   * there is one, or with none when the time is over or the service stops.
   *
   * @throws CarillonError OVERLOADED when too many wait, SHUTTING_DOWN,
   * SUBSCRIBER_DISABLED
   */
  receive(
    mailbox: MailboxAccount,
    options: ReceiveOptions,
  ): Promise<readonly PulledMessage[]>;
  /** A GET of the Notipy protocol. */
  receiveLegacy(
    mailbox: MailboxAccount,
    client: { readonly isPython: boolean },
  ): Promise<readonly PulledMessage[]>;
  /** A PUT of the Notipy protocol; see the store's `confirmMessages`. */
  confirm(
    mailbox: MailboxAccount,
    messageSeqs: readonly number[],
    isSuccess: boolean,
  ): Promise<number>;
  ack(
    mailbox: MailboxAccount,
    keys: readonly LeaseKey[],
  ): Promise<SettledLeases>;
  nack(
    mailbox: MailboxAccount,
    keys: readonly LeaseKey[],
    delayMs: number,
  ): Promise<SettledLeases>;
  extend(
    mailbox: MailboxAccount,
    keys: readonly LeaseKey[],
    leaseMs: number,
  ): Promise<SettledLeases & { readonly until: EpochMs }>;
  /** @throws CarillonError OVERLOADED, SHUTTING_DOWN, SUBSCRIBER_DISABLED */
  stream(
    mailbox: MailboxAccount,
    options: StreamOptions,
    output: StreamOutput,
  ): Promise<MailboxStream>;
  /**
   * Ends what waits at a mailbox: it was disabled or deleted, or its credentials are
   * others.
   */
  release(
    mailbox: Pick<MailboxAccount, "seq">,
    reason?: "mailbox_gone" | "renew",
  ): void;
  /** Consumers that wait or have a stream open, for metrics. */
  status(): { readonly waiting: number; readonly streams: number };
  /** Answers those that wait, ends streams; none begins any more. */
  drain(): void;
}
