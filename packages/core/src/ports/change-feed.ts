/**
 * The change feed: what happened to deliveries, subscriptions, endpoints and
 * texts from phones, in the order in which it was committed. A change is kept
 * in the transaction that makes it, so none is told that did not happen and
 * none that happened is missed.
 *
 * Positions are opaque. A reader that has seen position p never later finds a
 * change before p: a store with concurrent writers shows a change only once all
 * that come before it are decided.
 */

import type { MessageId, ProjectId, SubscriptionId } from "../ids.ts";
import type { Receipt } from "../messages/delivery.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { NewMessage } from "../messages/message.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";
import type { Recipient } from "./channel.ts";
import type { Lease } from "./work-store.ts";

/** A place in the feed; only the store that gave it can read it. */
export type FeedPosition = string;

/** Deliveries of one message that came to the same state together. */
export interface DeliveryChange {
  readonly kind: "deliveries";
  readonly messageSeq: number;
  /** A settled one; see `isSettled`. */
  readonly state: DeliveryState;
  /** Runs of targets, first and last of each: `[1, 500, 502, 502]`. */
  readonly runs: readonly number[];
}

/** What else happens. */
export const occurrenceTypes = [
  "inbound.received",
  "subscription.confirmed",
  "subscription.cancelled",
  "endpoint.failing",
  "endpoint.recovered",
] as const;

export type OccurrenceType = (typeof occurrenceTypes)[number];

/** Something that happened to other things than a delivery. */
export interface Occurrence {
  readonly kind: "occurrence";
  readonly type: OccurrenceType;
  readonly projectId: ProjectId;
  /** What it happened to, by the names that the event's JSON has. */
  readonly about: Readonly<Record<string, string | number>>;
  /** The message (its number) whose status URL is told of it too. */
  readonly ofMessage?: number;
}

/** What one transaction changed: deliveries by state, or another occurrence. */
export type Change = DeliveryChange | Occurrence;

/** Changes of one transaction. */
export interface ChangeBatch {
  /** Behind it. */
  readonly position: FeedPosition;
  /** When the last of them happened. */
  readonly at: EpochMs;
  /** None, if it is unreadable. */
  readonly changes: readonly Change[];
  /** Why it cannot be read: the store's copy of it is damaged. */
  readonly unreadable?: unknown;
}

export type ChangePage =
  | { readonly kind: "batches"; readonly batches: readonly ChangeBatch[] }
  /**
   * What follows the position is not kept any more, or never was. `next`: where
   * all that is kept follows; for a position that the feed has not come to, or
   * that is none, behind its last change.
   */
  | { readonly kind: "gone"; readonly next: FeedPosition };

/** What events say of a topic. */
export interface TopicHead {
  readonly urn: string;
  readonly name: string;
}

/** What events say of a message, without its content. */
export interface MessageHead {
  readonly seq: number;
  readonly id: MessageId;
  readonly projectId: ProjectId;
  /** Itself an event: of its deliveries nothing is told. */
  readonly isEvent: boolean;
  /** Absent for direct messages and those to several topics. */
  readonly topic?: TopicHead;
  /** Of a message to several topics. */
  readonly topics?: readonly (TopicHead & { readonly seq: number })[];
  readonly statusUrl?: string;
}

/** What events say of a delivery, as it is now. */
export interface DeliveryHead {
  readonly target: number;
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** Absent for direct recipients. */
  readonly subscriptionId?: SubscriptionId;
  /** Of the subscription. */
  readonly topicSeq?: number;
  readonly attempts: number;
  readonly statusCode?: number;
  readonly error?: string;
  /** Of the last attempt, if a provider was called. */
  readonly provider?: string;
  /** The first part's of the last attempt that has parts. */
  readonly externalId?: string;
  readonly segments?: number;
  /** The last one that says the state which the delivery is in. */
  readonly receipt?: Omit<Receipt, "entry" | "externalId">;
}

/** A message that a consumer makes of what it read. */
export type EventMessage =
  /** For the subscribers of a topic. */
  | { readonly message: NewMessage }
  /** For one endpoint. */
  | {
      readonly message: NewMessage;
      readonly recipient: Pick<Recipient, "protocol" | "endpoint">;
    };

/** How much of the feed is kept. */
export interface ChangeRetention {
  /** What happened earlier may go, once durable consumers have read it. */
  readonly before: EpochMs;
  /** What is more than so many transactions back goes, read or not. */
  readonly maxBatches: number;
}

/** What happened, in the order of the commits, and who has read how far. */
export interface ChangeFeed {
  /**
   * What follows a position, oldest first. A batch that is damaged is answered
   * as such and holds up no other. A position counts only as it was given,
   * character by character.
   */
  readChanges(after: FeedPosition, limit: number): Promise<ChangePage>;
  /** Behind the last change. */
  readLatestPosition(): Promise<FeedPosition>;
  /**
   * Calls `listener` when there may be more to read, until the answered function
   * is called. A hint: changes of other processes may come without one. What
   * became out of date is told by `StoreChanges`, not here.
   */
  watchFeed(listener: () => void): () => void;
  /** Those that are kept, in any order. */
  findMessageHeads(seqs: readonly number[]): Promise<readonly MessageHead[]>;
  /** In order of targets. */
  listDeliveryHeads(
    messageSeq: number,
    targets: readonly number[],
  ): Promise<readonly DeliveryHead[]>;

  /**
   * Whether any change could be wanted by a durable consumer: an event topic
   * has subscribers, or there is a message with a status URL that expires after
   * `since`. As late as its own end counts that of what was resent of it, and
   * the last action of an operator on one of its deliveries.
   */
  findEventConsumer(since: EpochMs): Promise<boolean>;
  /**
   * Takes or keeps a durable consumer's place for an owner; the first time it
   * stands behind the last change. `undefined`: another owner has it.
   */
  claimConsumer(name: string, lease: Lease): Promise<FeedPosition | undefined>;
  /**
   * Moves a consumer and accepts messages, both or neither. False: the owner
   * does not have it any more, or it does not stand at `from`; nothing was
   * written.
   */
  advanceConsumer(
    consumer: { readonly name: string; readonly owner: string },
    from: FeedPosition,
    to: FeedPosition,
    messages: readonly EventMessage[],
  ): Promise<boolean>;
  /**
   * Removes at most `limit` of the oldest batches that may go. The newest one
   * stays. By age nothing goes that a durable consumer has still to read; by
   * number it does, so that one that stands still does not keep the feed growing:
   * it is answered `gone`.
   *
   * @returns how many were removed
   */
  forgetChanges(retention: ChangeRetention, limit: number): Promise<number>;
}
