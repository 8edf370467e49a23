/** Messages that were published, and their deliveries. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  findTexts,
  isObject,
  type JsonObject,
  readBoolean,
  readObjects,
  readText,
} from "../json.ts";
import type { PublishOptions, RequestOptions } from "../transport.ts";
import { findInstantText, type Instant } from "./instant-text.ts";
import {
  type MessageToPublish,
  type RelatedObject,
  toPublishBody,
} from "./message-to-publish.ts";

/** All states of a delivery. */
export const deliveryStates = [
  "waiting",
  "sending",
  "retrying",
  "unknown",
  "sent",
  "delivered",
  "failed",
  "rejected",
  "debug",
  "filtered",
  "suppressed",
  "expired",
  "cancelled",
] as const;

/** Where a delivery stands. A newer server may have more states. */
export type DeliveryState =
  | (typeof deliveryStates)[number]
  // Keeps the names above as suggestions.
  | (string & {});

/** How far a message has got. */
export interface MessageReport extends JsonObject {
  readonly id: string;
  /** Absent for texts to phone numbers, and for messages to several topics. */
  readonly topicName?: string | undefined;
  /** Of a message to several topics, in the order given. */
  readonly topicUrns?: readonly string[] | undefined;
  readonly subject?: string | undefined;
  /** `text`, `structure`, `confirmation` or `unsubscription`. */
  readonly kind?: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly acceptedAt?: string | undefined;
  /** In lists: the first 80 characters of the text. */
  readonly excerpt?: string | undefined;
  /** Of a message by itself, unless it has a text per protocol. */
  readonly text?: string | undefined;
  /** False while deliveries are still being made, or are not yet. */
  readonly fannedOut: boolean;
  /** How many deliveries are in each state. */
  readonly counts: Readonly<Record<string, number>>;
  readonly tag?: string | undefined;
  /** `otp`, `transactional` or `bulk`. */
  readonly class?: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`: no attempt is made before. */
  readonly notBefore?: string | undefined;
  /** Of a message that was cancelled as a whole. */
  readonly cancelled?: MessageCancellation | undefined;
}

/** Who cancelled a message, when and why. */
export interface MessageCancellation extends JsonObject {
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly at: string;
  readonly userId: string;
  readonly userName: string;
  readonly reason?: string | undefined;
  /** The job that cancels its deliveries. */
  readonly jobId: string;
}

/** What happened at one endpoint. */
export interface Delivery extends JsonObject {
  readonly id: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly state: DeliveryState;
  readonly attemptCount: number;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  /** What was done to it by hand, oldest first; absent when nothing was. */
  readonly actions?: readonly DeliveryActionRecord[] | undefined;
  /** The last attempt's failure. */
  readonly error?: string | undefined;
  /** From acceptance to success, in milliseconds. */
  readonly latencyMs?: number | undefined;
  /**
   * UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`; absent when none follows. Of what is `sent`:
   * when the next provider is tried if no receipt comes.
   */
  readonly nextAttemptAt?: string | undefined;
  /**
   * Why it waits, if nothing failed. `paused`: every provider that it may go
   * through is; it goes on once one is resumed. `batch`: the batch sender has not
   * come to it.
   */
  readonly waitReason?: string | undefined;
  /** The provider's id of the last attempt's first part. */
  readonly externalId?: string | undefined;
  /** What providers gave ids, of all attempts; empty when there are none. */
  readonly parts: readonly DeliveryPart[];
  /** Oldest first, those too that changed nothing; empty when none came. */
  readonly receipts: readonly DeliveryReceipt[];
  /** The provider will report on it. */
  readonly receiptExpected?: boolean | undefined;
}

/** What a provider gave an id: a text of three segments may have three. */
export interface DeliveryPart extends JsonObject {
  /** The number of its attempt, from 1. */
  readonly attempt: number;
  readonly provider: string;
  readonly externalId: string;
  /** `sent`, `delivered`, `failed`, `rejected` or `expired`. */
  readonly state: string;
}

/** What a provider reported later about a part. */
export interface DeliveryReceipt extends JsonObject {
  /** `accept`, `deliver`, `expire`, `reject` or `fail`. */
  readonly event: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly at: string;
  /** The one it came through. */
  readonly provider?: string | undefined;
  /** The part that it is about. */
  readonly externalId?: string | undefined;
  /** The carrier's own code. */
  readonly code?: string | undefined;
  /** The carrier's own words. */
  readonly text?: string | undefined;
}

/** One attempt to deliver a message to an endpoint. */
export interface Attempt extends JsonObject {
  /** From 1; absent: no attempt was made, and this is why. */
  readonly number?: number | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly at: string;
  /** HTTP status or SMTP reply code. */
  readonly statusCode?: number | undefined;
  readonly durationMs?: number | undefined;
  /** Why it failed. */
  readonly error?: string | undefined;
  /** Which carrier it went through, if it did. */
  readonly provider?: string | undefined;
  /** What came of it, of texts; `failed`: accepted, and failed by its receipt. */
  readonly outcome?: string | undefined;
  /**
   * How long its steps took, in milliseconds: waiting for its turn, looking up
   * the host's name, connecting, the TLS handshake, and from the request to the
   * answer's first byte. Absent where a step was not made or not measured.
   */
  readonly queuedMs?: number | undefined;
  readonly dnsMs?: number | undefined;
  readonly connectMs?: number | undefined;
  readonly tlsMs?: number | undefined;
  readonly firstByteMs?: number | undefined;
}

/** What was done to a delivery by hand. */
export interface DeliveryActionRecord extends JsonObject {
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly at: string;
  readonly action: string;
  readonly from: DeliveryState;
  readonly to: DeliveryState;
  readonly userName: string;
  readonly reason?: string | undefined;
  /** The job that did it for all that matched. */
  readonly jobId?: string | undefined;
}

/** Absent members do not constrain. */
export interface MessageQuery {
  readonly topicUrn?: string | undefined;
  /** Only messages with a delivery in this state. */
  readonly state?: DeliveryState | undefined;
  readonly tag?: string | undefined;
  /** Only messages about this object. */
  readonly relatedObject?: RelatedObject | undefined;
  /** Only those accepted then or later. */
  readonly since?: Instant | undefined;
  /** How many are fetched at once, 1 to 1000 (the default). */
  readonly pageSize?: number | undefined;
}

/** Absent members do not constrain. */
export interface DeliveryQuery {
  readonly state?: DeliveryState | undefined;
  /** How many are fetched at once, 1 to 1000 (the default). */
  readonly pageSize?: number | undefined;
}

/** What came of publishing. */
export interface Published {
  /** The message's. */
  readonly id: string;
  /**
   * An earlier request with the same idempotency key was accepted, and this one
   * published nothing more.
   */
  readonly isReplayed: boolean;
}

/** Publishes messages, and reports on them and their deliveries. */
export interface Messages {
  /**
   * Publishes to a topic, to several, or to recipients, and resolves with the message's id
   * when it is on the server's disk. It is sent again when no answer comes, by
   * an idempotency key, so that it is published once.
   */
  publish(
    message: MessageToPublish,
    options?: PublishOptions,
  ): Promise<Published>;
  /** Newest first; pages are fetched as needed. */
  list(
    query?: MessageQuery,
    options?: RequestOptions,
  ): AsyncGenerator<MessageReport, void, undefined>;
  /** @throws ResourceNotFoundError */
  get(id: string, options?: RequestOptions): Promise<MessageReport>;
  /**
   * Cancels a whole message: what is not fanned out goes to nobody, and what waits
   * of its deliveries is cancelled. Answers it without its text.
   *
   * @throws ResourceNotFoundError, ResponseError (MESSAGE_STATE_CONFLICT) when it
   * was cancelled already or has nothing left to cancel
   */
  cancel(
    id: string,
    request?: { readonly reason?: string | undefined },
    options?: RequestOptions,
  ): Promise<MessageReport>;
  /** Of one message, to all its endpoints; pages are fetched as needed. */
  deliveries(
    messageId: string,
    query?: DeliveryQuery,
    options?: RequestOptions,
  ): AsyncGenerator<Delivery, void, undefined>;
}

/** As many as the server gives at once. */
const maxPageSize = 1000;

export function createMessages(api: Api): Messages {
  return {
    async publish(message, options) {
      const idempotencyKey = options?.idempotencyKey ?? newIdempotencyKey();
      const body = toPublishBody(message);
      const path = ["messages"];
      const request = { method: "POST", path, body, idempotencyKey } as const;
      const { headers, body: answer } = await api(request, options);
      return {
        id: readText(answer, "id"),
        isReplayed: headers.get("idempotency-replayed") === "true",
      };
    },
    async *list(filter = {}, options) {
      // What the types do not know is the server's to refuse.
      const { relatedObject, since, pageSize, ...rest } = filter;
      const path = ["messages"];
      let before: string | undefined;
      do {
        const query = {
          ...rest,
          relatedObjectType: relatedObject?.type,
          relatedObjectId: relatedObject?.id,
          since: findInstantText("since", since),
          limit: pageSize ?? maxPageSize,
          before,
        };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "messages").map(toReport);
        before = findText(body, "next");
      } while (before !== undefined);
    },
    async get(id, options) {
      const path = ["messages", id];
      return toReport((await api({ method: "GET", path }, options)).body);
    },
    async cancel(id, cancel = {}, options) {
      const path = ["messages", id, "cancel"];
      const request = { method: "POST", path, body: { ...cancel } } as const;
      return toReport((await api(request, options)).body);
    },
    async *deliveries(messageId, { pageSize, ...filter } = {}, options) {
      const path = ["messages", messageId, "deliveries"];
      let after: string | undefined;
      do {
        const query = { ...filter, limit: pageSize ?? maxPageSize, after };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "deliveries").map(toDelivery);
        after = findText(body, "next");
      } while (after !== undefined);
    },
  };
}

/** Also where a page is not in a secure context, which has no randomUUID. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

function toReport(body: JsonObject): MessageReport {
  const counts = isObject(body.counts) ? Object.entries(body.counts) : [];
  return {
    ...body,
    id: readText(body, "id"),
    topicName: findText(body, "topicName"),
    topicUrns:
      body.topicUrns === undefined ? undefined : findTexts(body, "topicUrns"),
    subject: findText(body, "subject"),
    kind: findText(body, "kind"),
    acceptedAt: findText(body, "acceptedAt"),
    excerpt: findText(body, "excerpt"),
    text: findText(body, "text"),
    tag: findText(body, "tag"),
    class: findText(body, "class"),
    notBefore: findText(body, "notBefore"),
    cancelled: isObject(body.cancelled)
      ? toCancellation(body.cancelled)
      : undefined,
    fannedOut: readBoolean(body, "fannedOut"),
    counts: Object.fromEntries(
      counts.map(([state, count]) => [state, Number(count)]),
    ),
  };
}

function toCancellation(body: JsonObject): MessageCancellation {
  return {
    ...body,
    at: readText(body, "at"),
    userId: readText(body, "userId"),
    userName: readText(body, "userName"),
    reason: findText(body, "reason"),
    jobId: readText(body, "jobId"),
  };
}

/** Absent where there are none. */
function listOf(body: JsonObject, name: string): JsonObject[] {
  return body[name] === undefined ? [] : readObjects(body, name);
}

export function toDelivery(body: JsonObject): Delivery {
  return {
    ...body,
    id: readText(body, "id"),
    protocol: readText(body, "protocol"),
    endpoint: readText(body, "endpoint"),
    state: readText(body, "state"),
    attemptCount: findNumber(body, "attemptCount") ?? 0,
    attempts: readObjects(body, "attempts").map((attempt) => ({
      ...attempt,
      number: findNumber(attempt, "number"),
      at: readText(attempt, "at"),
      statusCode: findNumber(attempt, "statusCode"),
      durationMs: findNumber(attempt, "durationMs"),
      error: findText(attempt, "error"),
      provider: findText(attempt, "provider"),
      outcome: findText(attempt, "outcome"),
      queuedMs: findNumber(attempt, "queuedMs"),
      dnsMs: findNumber(attempt, "dnsMs"),
      connectMs: findNumber(attempt, "connectMs"),
      tlsMs: findNumber(attempt, "tlsMs"),
      firstByteMs: findNumber(attempt, "firstByteMs"),
    })),
    parts: listOf(body, "parts").map((part) => ({
      ...part,
      attempt: findNumber(part, "attempt") ?? 0,
      provider: readText(part, "provider"),
      externalId: readText(part, "externalId"),
      state: readText(part, "state"),
    })),
    receipts: listOf(body, "receipts").map((receipt) => ({
      ...receipt,
      event: readText(receipt, "event"),
      at: readText(receipt, "at"),
      provider: findText(receipt, "provider"),
      externalId: findText(receipt, "externalId"),
      code: findText(receipt, "code"),
      text: findText(receipt, "text"),
    })),
    externalId: findText(body, "externalId"),
    receiptExpected:
      body.receiptExpected === undefined
        ? undefined
        : readBoolean(body, "receiptExpected"),
    actions:
      body.actions === undefined
        ? undefined
        : readObjects(body, "actions").map(toActionRecord),
    error: findText(body, "error"),
    latencyMs: findNumber(body, "latencyMs"),
    nextAttemptAt: findText(body, "nextAttemptAt"),
    waitReason: findText(body, "waitReason"),
  };
}

function toActionRecord(action: JsonObject): DeliveryActionRecord {
  return {
    ...action,
    at: readText(action, "at"),
    action: readText(action, "action"),
    from: readText(action, "from"),
    to: readText(action, "to"),
    userName: readText(action, "userName"),
    reason: findText(action, "reason"),
    jobId: findText(action, "jobId"),
  };
}
