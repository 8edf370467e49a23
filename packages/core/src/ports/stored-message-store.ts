/** Keeps what stored messages have beyond messages and deliveries. */

import type { ProjectId } from "../ids.ts";
import type { Attachment, AttachmentInfo } from "../messages/attachment.ts";
import type { Delivery } from "../messages/delivery.ts";
import type { IdempotencyKey } from "../messages/idempotency-key.ts";
import type {
  Message,
  NewMessage,
  RelatedObject,
} from "../messages/message.ts";
import type { StateCondition } from "../stored/pymess-state.ts";
import type {
  StoredChannel,
  StoredRelatedObject,
} from "../stored/stored-message.ts";
import type { StoredMessageFilter } from "../stored/stored-messages.ts";
import type { EpochMs } from "../time.ts";
import type { DirectRecipient } from "./delivery-store.ts";

/** Beside the message and its recipients. */
export interface AcceptStoredOptions {
  readonly attachments?: readonly Attachment[];
  /**
   * Nothing is kept if a message of this template is there that is about all
   * objects of the new one. An object that is added to an older message while this
   * one is accepted may count from the next one on.
   */
  readonly unlessSent?: { readonly templateSlug: string };
  /**
   * They wait for the batch sender: by priority, then by age; until the end of
   * their lives, when they expire.
   */
  readonly isBatched?: boolean;
  /**
   * Kept with it, both or neither; if the key holds already, at the message's
   * `createdAt`, nothing is kept. See `IdempotencyStore.acceptOnce`.
   */
  readonly key?: IdempotencyKey;
}

/**
 * What came of it: it was kept; it was sent before (see `unlessSent`); or the
 * request repeats one that was made with its key.
 */
export type AcceptedStored =
  | { readonly kind: "kept"; readonly seq: number }
  | { readonly kind: "sent_before" }
  | { readonly kind: "repeated"; readonly earlier: IdempotencyKey };

/** What came of a change: the objects then; or how many there would be. */
export type ChangedObjects =
  | {
      readonly kind: "changed";
      readonly relatedObjects: readonly StoredRelatedObject[];
    }
  | { readonly kind: "too_many"; readonly count: number };

/** A stored message as the store has it. */
export interface StoredRecord {
  readonly message: Message;
  readonly delivery: Delivery;
  readonly attachments: readonly AttachmentInfo[];
  readonly relatedObjects: readonly StoredRelatedObject[];
  /** Of its related objects, since it was made; the rest is in the delivery. */
  readonly relationsChangedAt?: EpochMs;
}

/** As {@link StoredMessageFilter}, with states as the store tells them. */
export interface StoredRecordFilter
  extends Omit<StoredMessageFilter, "state" | "pymessState"> {
  /** Those that meet one of these. */
  readonly states?: readonly StateCondition[] | undefined;
}

/** Which part of a list of stored messages is asked for. */
export interface StoredRecordPage {
  readonly limit: number;
  readonly before?: StoredPosition;
  /** How many are looked at. Default: all. */
  readonly maxScanned?: number;
  /**
   * Of texts, and of the plain-text part of mails, no more than so many
   * characters are read; of HTML none. Default: all.
   */
  readonly excerptLength?: number;
}

/** Where a page of stored messages ends. */
export interface StoredPosition {
  readonly messageSeq: number;
  readonly target: number;
}

/** Keeps stored messages, and finds them. */
export interface StoredMessageStore {
  /**
   * As `acceptDirectMessage`, with what stored messages have besides, in one
   * transaction. All recipients are of one protocol.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_REFUSED;
   * then nothing was kept
   */
  acceptStored(
    message: NewMessage,
    recipients: readonly DirectRecipient[],
    options: AcceptStoredOptions,
  ): Promise<AcceptedStored>;
  /** Of the project, and of recipients that the message names itself. */
  findStored(
    projectId: ProjectId,
    position: StoredPosition,
  ): Promise<StoredRecord | undefined>;
  /**
   * Newest first, of one message the highest target first, behind `before`. A
   * related object, a recipient, a template, a tag, or states none of which is
   * common (`isCommonState`) are looked up, the first of these that is given; by
   * what else there is at most `maxScanned` are looked through for a page, which
   * may then be shorter than its limit, or empty, and have a next one. Messages
   * before the first that was created at `since` or later are not looked through.
   * What `next` names is of the project.
   *
   * A message is read once, however many of its recipients are on the page; while
   * a long page is read others have their turn.
   */
  listStored(
    projectId: ProjectId,
    channel: StoredChannel,
    filter: StoredRecordFilter,
    page: StoredRecordPage,
  ): Promise<{
    readonly records: readonly StoredRecord[];
    readonly next?: StoredPosition;
  }>;
  /**
   * Also of messages that were removed since. Never without objects. While it looks
   * through many others have their turn.
   */
  wasSent(
    projectId: ProjectId,
    channel: StoredChannel,
    templateSlug: string,
    relatedObjects: readonly RelatedObject[],
  ): Promise<boolean>;
  /**
   * Adds and removes related objects of a message; what is there already is left
   * as it is. Answers those that it has then. If they would be more than `most`,
   * which is counted in the transaction, nothing is changed.
   */
  changeRelatedObjects(
    messageSeq: number,
    change: {
      readonly add: readonly RelatedObject[];
      /** All but those of `add`; `{ type }`: of that type only. */
      readonly replace?: true | { readonly type: string };
      readonly most: number;
      readonly at: EpochMs;
    },
  ): Promise<ChangedObjects>;
  /** With their bytes, in their order. */
  readAttachments(messageSeq: number): Promise<readonly Attachment[]>;
  /** The one at a place, from 0; no other is read. */
  readAttachment(
    messageSeq: number,
    place: number,
  ): Promise<Attachment | undefined>;
}
