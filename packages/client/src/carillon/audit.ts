/** The audit log: who logged in, and who changed what. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  isObject,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** One deed, or several alike. */
export interface AuditEntry extends JsonObject {
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`; of several, the last one. */
  readonly at: string;
  /** Such as `login` or `user.create`. */
  readonly action: string;
  /** How many it stands for. */
  readonly count: number;
  readonly userName?: string | undefined;
  /** The path of the request. */
  readonly target?: string | undefined;
  /** What was made or set, such as `id` and `name`, or `role`. */
  readonly details?: JsonObject | undefined;
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Absent members do not constrain. */
export interface AuditQuery {
  readonly userId?: string | undefined;
  readonly action?: string | undefined;
}

/** Reads the audit log. */
export interface Audit {
  /** Newest first; pages are fetched as needed. */
  list(
    query?: AuditQuery,
    options?: RequestOptions,
  ): AsyncGenerator<AuditEntry, void, undefined>;
}

/** As many as the server gives at once. */
const pageSize = 1000;

export function createAudit(api: Api): Audit {
  return {
    async *list(filter = {}, options) {
      const path = ["audit"];
      let before: string | undefined;
      do {
        const query = { ...filter, limit: pageSize, before };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "entries").map(toEntry);
        before = findText(body, "next");
      } while (before !== undefined);
    },
  };
}

function toEntry(body: JsonObject): AuditEntry {
  return {
    ...body,
    at: readText(body, "at"),
    action: readText(body, "action"),
    count: findNumber(body, "count") ?? 1,
    userName: findText(body, "userName"),
    target: findText(body, "target"),
    details: isObject(body.details) ? body.details : undefined,
    address: findText(body, "address"),
    requestId: findText(body, "requestId"),
  };
}
