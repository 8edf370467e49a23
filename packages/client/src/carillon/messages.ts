/** Messages that were published, and their deliveries. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  isObject,
  type JsonObject,
  readBoolean,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";

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
  /** Absent for texts to phone numbers. */
  readonly topicName?: string | undefined;
  readonly subject?: string | undefined;
  /** `text`, `structure`, `confirmation` or `unsubscription`. */
  readonly kind?: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly acceptedAt?: string | undefined;
  /** In lists: the first 80 characters of the text. */
  readonly excerpt?: string | undefined;
  /** Of a message by itself, unless it has a text per protocol. */
  readonly text?: string | undefined;
  /** False while subscriptions are still being walked. */
  readonly fannedOut: boolean;
  /** How many deliveries are in each state. */
  readonly counts: Readonly<Record<string, number>>;
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
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`; absent when none follows. */
  readonly nextAttemptAt?: string | undefined;
}

/** One attempt to deliver a message to an endpoint. */
export interface Attempt extends JsonObject {
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly at: string;
  /** HTTP status or SMTP reply code. */
  readonly statusCode?: number | undefined;
  readonly durationMs?: number | undefined;
  /** Why it failed. */
  readonly error?: string | undefined;
  /** Which carrier it went through, if it did. */
  readonly provider?: string | undefined;
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
  /** Only those accepted then or later. */
  readonly since?: Date | undefined;
  /** How many are fetched at once, 1 to 1000 (the default). */
  readonly pageSize?: number | undefined;
}

/** Absent members do not constrain. */
export interface DeliveryQuery {
  readonly state?: DeliveryState | undefined;
  /** How many are fetched at once, 1 to 1000 (the default). */
  readonly pageSize?: number | undefined;
}

/** Reports on messages and their deliveries. */
export interface Messages {
  /** Newest first; pages are fetched as needed. */
  list(
    query?: MessageQuery,
    options?: RequestOptions,
  ): AsyncGenerator<MessageReport, void, undefined>;
  /** @throws ResourceNotFoundError */
  get(id: string, options?: RequestOptions): Promise<MessageReport>;
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
    async *list({ topicUrn, state, since, pageSize } = {}, options) {
      const path = ["messages"];
      let before: string | undefined;
      do {
        const query = {
          topicUrn,
          state,
          since: since?.toISOString(),
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
    async *deliveries(messageId, { state, pageSize } = {}, options) {
      const path = ["messages", messageId, "deliveries"];
      let after: string | undefined;
      do {
        const query = { state, limit: pageSize ?? maxPageSize, after };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "deliveries").map(toDelivery);
        after = findText(body, "next");
      } while (after !== undefined);
    },
  };
}

function toReport(body: JsonObject): MessageReport {
  const counts = isObject(body.counts) ? Object.entries(body.counts) : [];
  return {
    ...body,
    id: readText(body, "id"),
    topicName: findText(body, "topicName"),
    subject: findText(body, "subject"),
    kind: findText(body, "kind"),
    acceptedAt: findText(body, "acceptedAt"),
    excerpt: findText(body, "excerpt"),
    text: findText(body, "text"),
    fannedOut: readBoolean(body, "fannedOut"),
    counts: Object.fromEntries(
      counts.map(([state, count]) => [state, Number(count)]),
    ),
  };
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
      at: readText(attempt, "at"),
      statusCode: findNumber(attempt, "statusCode"),
      durationMs: findNumber(attempt, "durationMs"),
      error: findText(attempt, "error"),
      provider: findText(attempt, "provider"),
    })),
    actions:
      body.actions === undefined
        ? undefined
        : readObjects(body, "actions").map(toActionRecord),
    error: findText(body, "error"),
    latencyMs: findNumber(body, "latencyMs"),
    nextAttemptAt: findText(body, "nextAttemptAt"),
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
