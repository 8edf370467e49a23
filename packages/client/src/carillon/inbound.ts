/** Texts that phones sent to the service. */

import type { Api } from "../api.ts";
import { findText, type JsonObject, readObjects, readText } from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { findInstantText, type Instant } from "./instant-text.ts";

/** A text from a phone. */
export interface InboundMessage extends JsonObject {
  readonly id: string;
  /** The phone; empty if the carrier does not say. */
  readonly from: string;
  /** The service's number, if the carrier says it. */
  readonly to?: string | undefined;
  readonly text: string;
  /** The first word, in capitals. */
  readonly keyword?: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly receivedAt: string;
  /** The message it was published as, if a topic is bound to the number. */
  readonly messageId?: string | undefined;
}

/** Absent members do not constrain. */
export interface InboundQuery {
  /** A number in any form, or a name. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Only those received then or later. */
  readonly since?: Instant | undefined;
}

/** Reads the texts from phones. */
export interface Inbound {
  /** Newest first; pages are fetched as needed. */
  list(
    query?: InboundQuery,
    options?: RequestOptions,
  ): AsyncGenerator<InboundMessage, void, undefined>;
  /** @throws ResourceNotFoundError */
  get(id: string, options?: RequestOptions): Promise<InboundMessage>;
}

/** As many as the server gives at once. */
const pageSize = 1000;

export function createInbound(api: Api): Inbound {
  return {
    async *list(filter = {}, options) {
      const path = ["inbound"];
      let before: string | undefined;
      do {
        const query = {
          ...filter,
          since: findInstantText("since", filter.since),
          limit: pageSize,
          before,
        };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "inbound").map(toInboundMessage);
        before = findText(body, "next");
      } while (before !== undefined);
    },
    async get(id, options) {
      const path = ["inbound", id];
      const { body } = await api({ method: "GET", path }, options);
      return toInboundMessage(body);
    },
  };
}

function toInboundMessage(body: JsonObject): InboundMessage {
  return {
    ...body,
    id: readText(body, "id"),
    from: findText(body, "from") ?? "",
    to: findText(body, "to"),
    text: findText(body, "text") ?? "",
    keyword: findText(body, "keyword"),
    receivedAt: readText(body, "receivedAt"),
    messageId: findText(body, "messageId"),
  };
}
