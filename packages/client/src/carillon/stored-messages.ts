/**
 * Stored messages: sent to one recipient each, kept, found again, cancelled and
 * sent again. The same operations for texts and for mails.
 */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  findTexts,
  isObject,
  type JsonObject,
  readBoolean,
  readObject,
  readObjects,
  readText,
} from "../json.ts";
import { foundOrNot } from "../smn/missing.ts";
import type { PublishOptions, RequestOptions } from "../transport.ts";
import { type Attachment, toAttachmentBodies } from "./attachments.ts";
import type { ActionReason } from "./deliveries.ts";
import { findInstantText, type Instant } from "./instant-text.ts";
import type { PublishSettings, RelatedObject } from "./message-to-publish.ts";
import {
  type Delivery,
  type DeliveryState,
  newIdempotencyKey,
  toDelivery,
} from "./messages.ts";

/** What a stored message may carry besides; all of it is optional. */
export interface StoredSettings
  extends Pick<
    PublishSettings,
    | "notBefore"
    | "class"
    | "tag"
    | "priority"
    | "relatedObjects"
    | "extraData"
    | "statusUrl"
  > {
  /** A configured provider: it goes through this one and no other. */
  readonly backend?: string | undefined;
  /** At once, also where messages wait for the batch sender. Default false. */
  readonly sendImmediately?: boolean | undefined;
  /** How long it is attempted. Default: as the service is set up. */
  readonly timeToLiveSeconds?: number | undefined;
}

/** What a template is rendered with. */
export interface TemplateSettings {
  /** Of a template of this channel. */
  readonly slug: string;
  /** What its variables stand for. */
  readonly context?: JsonObject | undefined;
}

/** Whom a single message goes to. */
export interface StoredRecipient {
  /** Phone number or mail address. */
  readonly to: string;
  /**
   * How long the server waits for the outcome of the first attempt, 0 to 30. The
   * deadline of the request is so much later. Default 0: it answers once the
   * message is on its disk.
   */
  readonly waitSeconds?: number | undefined;
}

/** An object that a stored message is about. */
export interface StoredRelatedObject extends JsonObject {
  readonly type: string;
  readonly id: string;
  /** Both UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly createdAt: string;
  readonly changedAt: string;
}

/** All that pymess calls the state of a text or a mail. */
export const pymessStates = [
  "WAITING",
  "UNKNOWN",
  "SENDING",
  "SENT",
  "ERROR_UPDATE",
  "DEBUG",
  "DELIVERED",
  "ERROR",
  "ERROR_RETRY",
] as const;

/** What is known of a file without its bytes. */
export interface AttachmentInfo extends JsonObject {
  readonly name: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  readonly contentId?: string | undefined;
}

/** A stored message as lists have it; instants are UTC, RFC 3339. */
export interface StoredMessageSummary extends JsonObject {
  readonly id: string;
  readonly createdAt: string;
  readonly changedAt: string;
  /** Absent: no provider took it yet. */
  readonly sentAt?: string | undefined;
  /** Cleaned up. */
  readonly to: string;
  readonly sender?: string | undefined;
  readonly subject?: string | undefined;
  readonly templateSlug?: string | undefined;
  readonly state: DeliveryState;
  /** The same as pymess calls it, such as ERROR_RETRY, 9. */
  readonly pymessState: { readonly name: string; readonly number: number };
  /** The provider that handled it last. */
  readonly backend?: string | undefined;
  readonly error?: string | undefined;
  readonly tag?: string | undefined;
  /** How many were made; `delivery` of a message by itself has each. */
  readonly attempts: number;
  /** 1 is the highest. */
  readonly priority: number;
  readonly relatedObjects: readonly StoredRelatedObject[];
  readonly attachments: readonly AttachmentInfo[];
  /** Parts of a long text. */
  readonly segments?: number | undefined;
  /** It could not be sent; with `isFinal` false it is tried again. */
  readonly failed: boolean;
  /** Nothing more will come of it. */
  readonly isFinal: boolean;
  /** It ended without reaching its recipient. */
  readonly isFailure: boolean;
  /** In lists: the first 160 characters of the text. */
  readonly excerpt?: string | undefined;
}

/** All of a stored message. */
export interface StoredMessage extends StoredMessageSummary {
  readonly text: string;
  readonly html?: string | undefined;
  /** No attempt is made after this. */
  readonly expiresAt: string;
  /** No attempt is made before this. */
  readonly notBefore?: string | undefined;
  readonly extraData?: JsonObject | undefined;
  /** What providers told of it. */
  readonly extraSenderData?: JsonObject | undefined;
  /** Its attempts, parts, receipts and what was done to it. */
  readonly delivery: Delivery;
  /**
   * Of what was sent: an earlier request with the same idempotency key had been
   * accepted, and this one sent nothing more.
   */
  readonly isReplayed: boolean;
}

/** One of several messages that were sent together. */
export interface BulkMessage extends JsonObject {
  readonly id: string;
  /** Cleaned up. */
  readonly to: string;
  readonly state: DeliveryState;
}

/** Absent members do not constrain. */
export interface StoredMessageQuery {
  /** By Carillon's name or by pymess's, such as `ERROR_RETRY`. */
  readonly state?: DeliveryState | undefined;
  readonly tag?: string | undefined;
  /** The slug of the template they were made from. */
  readonly template?: string | undefined;
  /** Only those about all of these objects. */
  readonly relatedObjects?: readonly RelatedObject[] | undefined;
  readonly to?: string | undefined;
  /** Only those created then or later. */
  readonly since?: Instant | undefined;
  /** Only those created before. */
  readonly until?: Instant | undefined;
  /** How many are fetched at once, 1 to 1000. Default 100. */
  readonly pageSize?: number | undefined;
}

/** Why a template was not sent. A newer server may have more reasons. */
export type SendRefusal =
  | "inactive"
  | "duplicate"
  | "disallowed"
  // Keeps the names above as suggestions.
  | (string & {});

/** What came of sending a template: a message, or why there is none. */
export type TemplateSending =
  | { readonly message: StoredMessage; readonly refusals?: undefined }
  | {
      readonly message?: undefined;
      readonly refusals: readonly SendRefusal[];
    };

/** What a stored message is about. */
export interface RelatedObjects {
  list(
    id: string,
    options?: RequestOptions,
  ): Promise<readonly StoredRelatedObject[]>;
  /** Those that it is about already stay as they are. Answers all. */
  add(
    id: string,
    objects: readonly RelatedObject[],
    options?: RequestOptions,
  ): Promise<readonly StoredRelatedObject[]>;
  /** Puts these in place of all, or of those of one type. Answers all. */
  set(
    id: string,
    objects: readonly RelatedObject[],
    settings?: { readonly type?: string | undefined },
    options?: RequestOptions,
  ): Promise<readonly StoredRelatedObject[]>;
}

/**
 * Sends messages to one recipient each and finds them again. What sends is sent
 * again when no answer comes, by an idempotency key, so that it goes out once.
 */
export interface StoredMessages<Content, Template> {
  /** Resolves when it is on the server's disk, or with `waitSeconds` later. */
  send(
    message: Content & StoredRecipient,
    options?: PublishOptions,
  ): Promise<StoredMessage>;
  /** All or none are stored; nobody gets it twice. At most 10,000 recipients. */
  sendBulk(
    bulk: Content & { readonly to: readonly string[] },
    options?: PublishOptions,
  ): Promise<readonly BulkMessage[]>;
  /**
   * Resolves with `undefined` when the template may not be sent.
   *
   * @throws ResourceNotFoundError when there is no such template
   */
  sendTemplate(
    template: Template & StoredRecipient,
    options?: PublishOptions,
  ): Promise<StoredMessage | undefined>;
  /** The same, which tells why when it may not be sent. */
  trySendTemplate(
    template: Template & StoredRecipient,
    options?: PublishOptions,
  ): Promise<TemplateSending>;
  /** `undefined` when there is no such message. */
  find(
    id: string,
    options?: RequestOptions,
  ): Promise<StoredMessage | undefined>;
  /** Newest first; pages are fetched as needed. */
  list(
    query?: StoredMessageQuery,
    options?: RequestOptions,
  ): AsyncGenerator<StoredMessageSummary, void, undefined>;
  /** Only while its next attempt has not begun. */
  cancel(
    id: string,
    cancel?: ActionReason,
    options?: RequestOptions,
  ): Promise<StoredMessage>;
  /** Makes another attempt now; what costs money costs it again. */
  retry(
    id: string,
    retry?: ActionReason,
    options?: RequestOptions,
  ): Promise<StoredMessage>;
  /** Whether one of this template was ever made about all these objects. */
  wasSent(
    slug: string,
    relatedObject: RelatedObject | readonly RelatedObject[],
    options?: RequestOptions,
  ): Promise<boolean>;
  readonly relatedObjects: RelatedObjects;
}

const defaultPageSize = 100;

/** What the service has where none was given. */
const lowestPriority = 3;

/** What requests that send have in common. */
interface Sendable {
  readonly notBefore?: Instant | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  readonly waitSeconds?: number | undefined;
}

/** @param name of the path, as in `/api/v2/sms` */
export function createStoredMessages<
  Content extends Sendable,
  Template extends Sendable,
>(api: Api, name: string): StoredMessages<Content, Template> {
  async function send(
    path: readonly string[],
    given: Sendable,
    options: PublishOptions | undefined,
  ) {
    const request = {
      method: "POST",
      path: [name, ...path],
      body: toSendBody(given),
      idempotencyKey: options?.idempotencyKey ?? newIdempotencyKey(),
      waitMs: (given.waitSeconds ?? 0) * 1000,
    } as const;
    const { headers, body } = await api(request, options);
    return {
      body,
      isReplayed: headers.get("idempotency-replayed") === "true",
    };
  }

  async function get(id: string, options: RequestOptions | undefined) {
    const path = [name, id];
    const { body } = await api({ method: "GET", path }, options);
    return toStoredMessage(body, false);
  }

  async function act(
    id: string,
    action: "cancel" | "retry",
    reason: ActionReason,
    options: RequestOptions | undefined,
  ) {
    const path = [name, id, action];
    const request = { method: "POST", path, body: { ...reason } } as const;
    return toStoredMessage((await api(request, options)).body, false);
  }

  async function related(
    method: "GET" | "POST" | "PUT",
    id: string,
    body: object | undefined,
    options: RequestOptions | undefined,
  ) {
    const path = [name, id, "related-objects"];
    // What is added twice is added once.
    const request = { method, path, body, isIdempotent: true } as const;
    return toRelatedObjects((await api(request, options)).body);
  }

  async function trySendTemplate(
    template: Template & StoredRecipient,
    options?: PublishOptions,
  ): Promise<TemplateSending> {
    const sent = await send(["from-template"], template, options);
    if (sent.body.refusals !== undefined) {
      return { refusals: findTexts(sent.body, "refusals") };
    }
    return { message: toStoredMessage(sent.body, sent.isReplayed) };
  }

  return {
    async send(message, options) {
      const { body, isReplayed } = await send([], message, options);
      return toStoredMessage(body, isReplayed);
    },
    async sendBulk(bulk, options) {
      const { body } = await send(["bulk"], bulk, options);
      return readObjects(body, "messages").map(toBulkMessage);
    },
    trySendTemplate,
    sendTemplate: async (template, options) =>
      (await trySendTemplate(template, options)).message,
    find: (id, options) => foundOrNot(get(id, options)),
    async *list(filter = {}, options) {
      // What the types do not know is the server's to refuse.
      const { relatedObjects, since, until, pageSize, ...rest } = filter;
      const path = [name];
      let before: string | undefined;
      do {
        const query = {
          ...rest,
          ...toRelatedQuery(relatedObjects),
          since: findInstantText("since", since),
          until: findInstantText("until", until),
          limit: pageSize ?? defaultPageSize,
          before,
        };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "messages").map(toSummary);
        before = findText(body, "next");
      } while (before !== undefined);
    },
    cancel: (id, reason = {}, options) => act(id, "cancel", reason, options),
    retry: (id, reason = {}, options) => act(id, "retry", reason, options),
    async wasSent(slug, relatedObject, options) {
      const path = [name, "was-sent"];
      const query = { template: slug, ...toRelatedQuery(relatedObject) };
      const { body } = await api({ method: "GET", path, query }, options);
      return readBoolean(body, "wasSent");
    },
    relatedObjects: {
      list: (id, options) => related("GET", id, undefined, options),
      add: (id, relatedObjects, options) =>
        related("POST", id, { relatedObjects }, options),
      set: (id, relatedObjects, settings = {}, options) =>
        related("PUT", id, { relatedObjects, ...settings }, options),
    },
  };
}

/** @throws InvalidOptionsError for a date that is none */
function toSendBody({ attachments, ...given }: Sendable): JsonObject {
  return {
    ...given,
    notBefore: findInstantText("notBefore", given.notBefore),
    attachments: attachments && toAttachmentBodies(attachments),
  };
}

function toRelatedQuery(
  objects: RelatedObject | readonly RelatedObject[] | undefined,
) {
  const all = [objects ?? []].flat();
  return {
    relatedObjectType: all.map(({ type }) => type),
    relatedObjectId: all.map(({ id }) => id),
  };
}

function toStoredMessage(body: JsonObject, isReplayed: boolean): StoredMessage {
  return {
    ...toSummary(body),
    text: findText(body, "text") ?? "",
    html: findText(body, "html"),
    expiresAt: readText(body, "expiresAt"),
    notBefore: findText(body, "notBefore"),
    extraData: findObject(body, "extraData"),
    extraSenderData: findObject(body, "extraSenderData"),
    delivery: toDelivery(readObject(body, "delivery")),
    isReplayed,
  };
}

function toSummary(body: JsonObject): StoredMessageSummary {
  const pymessState = readObject(body, "pymessState");
  return {
    ...body,
    id: readText(body, "id"),
    createdAt: readText(body, "createdAt"),
    changedAt: readText(body, "changedAt"),
    sentAt: findText(body, "sentAt"),
    to: readText(body, "to"),
    sender: findText(body, "sender"),
    subject: findText(body, "subject"),
    templateSlug: findText(body, "templateSlug"),
    state: readText(body, "state"),
    pymessState: {
      name: readText(pymessState, "name"),
      number: findNumber(pymessState, "number") ?? 0,
    },
    backend: findText(body, "backend"),
    error: findText(body, "error"),
    tag: findText(body, "tag"),
    attempts: findNumber(body, "attempts") ?? 0,
    priority: findNumber(body, "priority") ?? lowestPriority,
    relatedObjects: toRelatedObjects(body),
    attachments: readObjects(body, "attachments").map((one) => ({
      ...one,
      name: readText(one, "name"),
      contentType: readText(one, "contentType"),
      size: findNumber(one, "size") ?? 0,
      contentId: findText(one, "contentId"),
    })),
    segments: findNumber(body, "segments"),
    failed: readBoolean(body, "failed"),
    isFinal: readBoolean(body, "isFinal"),
    isFailure: readBoolean(body, "isFailure"),
    excerpt: findText(body, "excerpt"),
  };
}

function toRelatedObjects(body: JsonObject): StoredRelatedObject[] {
  return readObjects(body, "relatedObjects").map((one) => ({
    ...one,
    type: readText(one, "type"),
    id: readText(one, "id"),
    createdAt: readText(one, "createdAt"),
    changedAt: readText(one, "changedAt"),
  }));
}

function toBulkMessage(body: JsonObject): BulkMessage {
  return {
    ...body,
    id: readText(body, "id"),
    to: readText(body, "to"),
    state: readText(body, "state"),
  };
}

function findObject(body: JsonObject, name: string): JsonObject | undefined {
  const value = body[name];
  return isObject(value) ? value : undefined;
}
