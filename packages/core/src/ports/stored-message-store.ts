/** Keeps what stored messages have beyond messages and deliveries. */

import type { ProjectId } from "../ids.ts";
import type { Delivery } from "../messages/delivery.ts";
import type {
  Message,
  NewMessage,
  RelatedObject,
} from "../messages/message.ts";
import type {
  Attachment,
  AttachmentInfo,
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
   * objects of the new one.
   */
  readonly unlessSent?: { readonly templateSlug: string };
  /**
   * They wait for the batch sender: by priority, then by age; until the end of
   * their lives, when they expire.
   */
  readonly isBatched?: boolean;
}

/** A stored message as the store has it. */
export interface StoredRecord {
  readonly message: Message;
  readonly delivery: Delivery;
  readonly attachments: readonly AttachmentInfo[];
  readonly relatedObjects: readonly StoredRelatedObject[];
  /** Of its attachments and related objects; the rest is in the delivery. */
  readonly relationsChangedAt?: EpochMs;
}

/** Where a page of stored messages ends. */
export interface StoredPosition {
  readonly messageSeq: number;
  readonly target: number;
}

/** Keeps stored messages, and finds them. */
export interface StoredMessageStore {
  /**
   * As `acceptDirectMessage`, with what stored messages have besides. Answers
   * `undefined` when there was one before; see {@link AcceptStoredOptions}.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_REFUSED;
   * then nothing was kept
   */
  acceptStored(
    message: NewMessage,
    recipients: readonly DirectRecipient[],
    options: AcceptStoredOptions,
  ): Promise<{ readonly seq: number } | undefined>;
  findStored(
    projectId: ProjectId,
    position: StoredPosition,
  ): Promise<StoredRecord | undefined>;
  /**
   * Newest first, behind `before`. A recipient, a template, a tag or a related
   * object is looked up; with another filter at most `maxScanned` are looked at
   * for a page, which may then be shorter than its limit and have a next one.
   */
  listStored(
    projectId: ProjectId,
    channel: StoredChannel,
    filter: StoredMessageFilter,
    page: {
      readonly limit: number;
      readonly before?: StoredPosition;
      readonly maxScanned?: number;
    },
  ): Promise<{
    readonly records: readonly StoredRecord[];
    readonly next?: StoredPosition;
  }>;
  /** Also of messages that were removed since. Never without objects. */
  wasSent(
    projectId: ProjectId,
    channel: StoredChannel,
    templateSlug: string,
    relatedObjects: readonly RelatedObject[],
  ): Promise<boolean>;
  /**
   * Adds and removes related objects of a message; what is there already is left
   * as it is. Answers those that it has then.
   */
  changeRelatedObjects(
    messageSeq: number,
    change: {
      readonly add: readonly RelatedObject[];
      /** All but those of `add`; `{ type }`: of that type only. */
      readonly replace?: true | { readonly type: string };
      readonly at: EpochMs;
    },
  ): Promise<readonly StoredRelatedObject[]>;
  /** With their bytes, in their order. */
  readAttachments(messageSeq: number): Promise<readonly Attachment[]>;
}
