/**
 * Stored messages of one channel: sent to one recipient, kept, found again,
 * cancelled and sent again. The same for programs that embed the service, for its
 * API and for its command line.
 */

import type { DeliveryId, ProjectId } from "../ids.ts";
import type { Attachment } from "../messages/attachment.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { IdempotentRequest } from "../messages/idempotency-key.ts";
import type { RelatedObject } from "../messages/message.ts";
import type { MessageOptions } from "../messages/message-options.ts";
import type { EpochMs } from "../time.ts";
import type { PymessStateName } from "./pymess-state.ts";
import type {
  StoredMessage,
  StoredMessageSummary,
  StoredRelatedObject,
} from "./stored-message.ts";

/** What is the same for a text, a template and a bulk; unchecked. */
export interface StoredMessageOptions extends MessageOptions {
  /** Of an SMS; the same as `sms.sender`. */
  readonly sender?: unknown;
  /** A configured provider, or backend: it goes through this one and no other. */
  readonly backend?: unknown;
  /** True: at once, also in batch mode. */
  readonly sendImmediately?: unknown;
  /** Of an SMS: `keep`, `strip-ascii` or `transliterate`; default: as it is set up. */
  readonly accents?: unknown;
  readonly email?: unknown;
  /** Seconds. */
  readonly timeToLive?: unknown;
  /**
   * How long to wait for the outcome of the first attempt before the message is
   * answered as it stands, in milliseconds. Default 0: it is answered once it is
   * on disk.
   */
  readonly waitMs?: number | undefined;
  /**
   * Names the request, so that its repetition is known for one and answers what
   * was sent first; see `repeatsRequestId` of what is answered.
   */
  readonly repeatable?: IdempotentRequest | undefined;
}

/** A text, or a mail, to one recipient; unchecked. */
export interface StoredMessageRequest extends StoredMessageOptions {
  readonly to: unknown;
  /** Of an SMS it is needed; of a mail this or `html`. */
  readonly text?: unknown;
  /** Of mails. */
  readonly subject?: unknown;
  readonly html?: unknown;
  readonly attachments?: readonly Attachment[] | undefined;
}

/** The same to several recipients, each with a stored message of their own. */
export interface StoredBulkRequest extends Omit<StoredMessageRequest, "to"> {
  readonly to: readonly unknown[];
}

/** What a template makes of a context; unchecked. */
export interface StoredTemplateRequest extends StoredMessageOptions {
  readonly to: unknown;
  readonly slug: unknown;
  /** A JSON object. */
  readonly context?: unknown;
  /** Besides those of the template. */
  readonly attachments?: readonly Attachment[] | undefined;
}

/** Which ones are listed; what is absent does not filter. */
export interface StoredMessageFilter {
  readonly state?: DeliveryState | undefined;
  /** By pymess's name; beside `state` both must be. */
  readonly pymessState?: PymessStateName | undefined;
  readonly tag?: string | undefined;
  readonly templateSlug?: string | undefined;
  /** About all of these. */
  readonly relatedObjects?: readonly RelatedObject[] | undefined;
  /** Cleaned up as it is when a message is sent. */
  readonly to?: string | undefined;
  /** Created then or later. */
  readonly since?: EpochMs | undefined;
  /** Created before. */
  readonly until?: EpochMs | undefined;
}

/**
 * Newest first; `next` is where the page behind begins, if there is one. A page
 * may be shorter than its limit, or empty, and have a next one.
 */
export interface StoredMessagePage<Listed = StoredMessage> {
  readonly messages: readonly Listed[];
  readonly next?: DeliveryId;
}

/** Which part of a list. */
export interface StoredPageRequest {
  /** 1 to 1000. */
  readonly limit: number;
  /** The `next` of the page in front. */
  readonly before?: string | undefined;
}

/** Who asks, for the history of the delivery. */
export interface StoredMessageActor {
  readonly userId: string;
  readonly userName: string;
}

/** Why a template may not be sent now. */
export const sendRefusals = ["inactive", "duplicate", "disallowed"] as const;

/** `duplicate`: it was sent before about all of these objects. */
export type SendRefusal = (typeof sendRefusals)[number];

/** What came of sending a template. */
export type TemplateSending =
  | { readonly message: StoredMessage }
  | { readonly refusals: readonly SendRefusal[] };

/**
 * Stored messages of a channel.
 *
 * Errors of requests are CarillonErrors of the codes that sending has (see
 * `Publisher.send`) and RECIPIENTS_INVALID; then nothing was stored.
 */
export interface StoredMessages {
  send(
    projectId: ProjectId,
    request: StoredMessageRequest,
  ): Promise<StoredMessage>;
  /**
   * All or none are stored, in one transaction; answered in the order of `to`, in
   * which nobody is twice.
   */
  sendBulk(
    projectId: ProjectId,
    request: StoredBulkRequest,
  ): Promise<readonly StoredMessage[]>;
  /**
   * Whether it was sent before is looked at in the transaction that stores it, so
   * that of two at once one is refused.
   *
   * @throws CarillonError TEMPLATE_NOT_FOUND, TEMPLATE_RENDERING_FAILED
   */
  sendTemplate(
    projectId: ProjectId,
    request: StoredTemplateRequest,
  ): Promise<TemplateSending>;
  find(projectId: ProjectId, id: string): Promise<StoredMessage | undefined>;
  /**
   * Whole messages. The contents of each message of the page are read once and
   * stay in memory with it: those of a bulk share one, but a page of a thousand
   * mails with 1 MB of HTML each takes a gigabyte. What only shows a list, or
   * walks far, takes `listSummaries`, or a smaller limit.
   *
   * @throws CarillonError PAGE_INVALID, DELIVERY_NOT_FOUND (`before`),
   * MESSAGE_OPTION_INVALID, RECIPIENTS_INVALID
   */
  list(
    projectId: ProjectId,
    filter: StoredMessageFilter,
    page: StoredPageRequest,
  ): Promise<StoredMessagePage>;
  /** The same without what may be long, which is not read either. */
  listSummaries(
    projectId: ProjectId,
    filter: StoredMessageFilter,
    page: StoredPageRequest,
  ): Promise<StoredMessagePage<StoredMessageSummary>>;
  /**
   * What has not started is not started any more.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, DELIVERY_STATE_CONFLICT
   */
  cancel(
    projectId: ProjectId,
    id: string,
    actor: StoredMessageActor,
    reason?: string,
  ): Promise<StoredMessage>;
  /**
   * Makes another attempt, now.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, DELIVERY_STATE_CONFLICT
   */
  retry(
    projectId: ProjectId,
    id: string,
    actor: StoredMessageActor,
    reason?: string,
  ): Promise<StoredMessage>;
  /** Whether a message of this template was made about all these objects, ever. */
  wasSent(
    projectId: ProjectId,
    slug: string,
    relatedObjects: readonly RelatedObject[],
  ): Promise<boolean>;
  /**
   * Adds those that it is not about yet. Of a bulk: those of all its messages.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, MESSAGE_OPTION_INVALID
   */
  addRelatedObjects(
    projectId: ProjectId,
    id: string,
    objects: readonly RelatedObject[],
  ): Promise<readonly StoredRelatedObject[]>;
  /**
   * Puts these in place of those that it is about; with a type, of those of it.
   *
   * @throws CarillonError DELIVERY_NOT_FOUND, MESSAGE_OPTION_INVALID
   */
  setRelatedObjects(
    projectId: ProjectId,
    id: string,
    objects: readonly RelatedObject[],
    type?: string,
  ): Promise<readonly StoredRelatedObject[]>;
}
