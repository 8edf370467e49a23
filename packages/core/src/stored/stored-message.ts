/**
 * A stored message: an SMS or a mail that an application sent to one recipient,
 * kept with all that became of it. It is no record of its own but a view of a
 * delivery of a direct message; its id is the delivery's.
 */

import type { DeliveryId } from "../ids.ts";
import type { AttachmentInfo } from "../messages/attachment.ts";
import type { Delivery } from "../messages/delivery.ts";
import type { EmailOptions } from "../messages/email-options.ts";
import type {
  ExtraData,
  Message,
  MessagePriority,
  RelatedObject,
} from "../messages/message.ts";
import type { EpochMs } from "../time.ts";
import type { PymessState } from "./pymess-state.ts";

/** What stored messages go by: the protocol of their recipients. */
export const storedChannels = ["sms", "email"] as const;

export type StoredChannel = (typeof storedChannels)[number];

/** An object that a stored message is about, and since when. */
export interface StoredRelatedObject extends RelatedObject {
  readonly createdAt: EpochMs;
  readonly changedAt: EpochMs;
}

/** A stored message as it is read back. */
export interface StoredMessage {
  /** Of its delivery. */
  readonly id: DeliveryId;
  readonly channel: StoredChannel;
  readonly createdAt: EpochMs;
  /** The last attempt's end, receipt, action or change of its related objects. */
  readonly changedAt: EpochMs;
  /** When the last attempt began that a provider took, or may have taken. */
  readonly sentAt?: EpochMs;
  /** Phone number or mail address, cleaned up. */
  readonly to: string;
  /** Sender ID, or the mail address of the sender. */
  readonly sender?: string;
  /** The text; of a mail its plain-text part. */
  readonly text: string;
  readonly subject?: string;
  readonly html?: string;
  readonly email?: EmailOptions;
  /** Empty when there are none. */
  readonly attachments: readonly AttachmentInfo[];
  /** Of the template that it was rendered from, also once that is deleted. */
  readonly templateSlug?: string;
  /** The state by pymess's name and number. */
  readonly pymessState: PymessState;
  /** The provider that handled it last, else the one that it was given. */
  readonly backend?: string;
  /** Why the last attempt failed, or why none is made. */
  readonly error?: string;
  readonly extraData?: ExtraData;
  /** What providers told of it, each attempt's merged into the one before. */
  readonly extraSenderData?: ExtraData;
  readonly tag?: string;
  /** 1 is the highest; 3 where none was given. */
  readonly priority: MessagePriority;
  readonly relatedObjects: readonly StoredRelatedObject[];
  /** Could not be sent: pymess's ERROR and ERROR_RETRY. */
  readonly failed: boolean;
  /** Nothing more will come of it. */
  readonly isFinal: boolean;
  /** It ended without reaching its recipient: pymess's ERROR and ERROR_UPDATE. */
  readonly isFailure: boolean;
  /**
   * Only where it answers a request that repeats another one, with the same
   * idempotency key: the id of the first. Nothing new was stored.
   */
  readonly repeatsRequestId?: string;
  readonly message: Message;
  /** State, attempts, parts, receipts, actions. */
  readonly delivery: Delivery;
}

/**
 * A stored message as lists have it: without what may be long. Its `excerpt` is
 * the beginning of the text.
 */
export interface StoredMessageSummary
  extends Omit<
    StoredMessage,
    "text" | "html" | "message" | "repeatsRequestId"
  > {
  readonly excerpt: string;
}

/** Of an excerpt, in characters: all of a text in one segment. */
export const excerptLength = 160;
