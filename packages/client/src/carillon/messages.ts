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

/** How far a message has got. */
export interface MessageReport extends JsonObject {
  readonly id: string;
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
  readonly state: string;
  readonly attemptCount: number;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  /** The last attempt's failure. */
  readonly error?: string | undefined;
  /** From acceptance to success, in milliseconds. */
  readonly latencyMs?: number | undefined;
}

/** One attempt to deliver a message to an endpoint. */
export interface Attempt extends JsonObject {
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly at: string;
  /** HTTP status or SMTP reply code. */
  readonly statusCode?: number | undefined;
}

/** Reports on messages and their deliveries. */
export interface Messages {
  /** @throws ResourceNotFoundError */
  get(id: string, options?: RequestOptions): Promise<MessageReport>;
  /** Of one message, to all its endpoints; pages are fetched as needed. */
  deliveries(
    messageId: string,
    options?: RequestOptions,
  ): AsyncGenerator<Delivery, void, undefined>;
}

/** As many as the server gives at once. */
const pageSize = 1000;

export function createMessages(api: Api): Messages {
  return {
    async get(id, options) {
      const path = ["messages", id];
      return toReport((await api({ method: "GET", path }, options)).body);
    },
    async *deliveries(messageId, options) {
      const path = ["messages", messageId, "deliveries"];
      let after: string | undefined;
      do {
        const query = { limit: pageSize, after };
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
    fannedOut: readBoolean(body, "fannedOut"),
    counts: Object.fromEntries(
      counts.map(([state, count]) => [state, Number(count)]),
    ),
  };
}

function toDelivery(body: JsonObject): Delivery {
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
    })),
    error: findText(body, "error"),
    latencyMs: findNumber(body, "latencyMs"),
  };
}
