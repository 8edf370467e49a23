/** Who does not want texts; for operators. */

import type { Api } from "../api.ts";
import { findText, type JsonObject, readObjects, readText } from "../json.ts";
import { type DeleteOptions, deleted } from "../smn/missing.ts";
import type { RequestOptions } from "../transport.ts";

/** Somebody who does not want texts. */
export interface OptOut extends JsonObject {
  /** In international form, with the plus. */
  readonly recipient: string;
  /** The number or name of ours; absent: all of them. */
  readonly sender?: string | undefined;
  /** The word that was sent, or what else led to it. */
  readonly keyword: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly since: string;
}

/** What a new opt-out needs. */
export interface NewOptOut {
  readonly recipient: string;
  /** Default: all of them. */
  readonly sender?: string | undefined;
  /** Default `MANUAL`. */
  readonly keyword?: string | undefined;
}

/** Absent members do not constrain. */
export interface OptOutQuery {
  readonly recipient?: string | undefined;
}

/** Lists, adds and takes back opt-outs. */
export interface OptOuts {
  /** By recipient; pages are fetched as needed. */
  list(
    query?: OptOutQuery,
    options?: RequestOptions,
  ): AsyncGenerator<OptOut, void, undefined>;
  /** Keeps texts from somebody. Twice is fine. */
  create(optOut: NewOptOut, options?: RequestOptions): Promise<OptOut>;
  /** Of one sender if it is named, else of all. Twice is fine. */
  delete(
    recipient: string,
    sender?: string,
    options?: DeleteOptions,
  ): Promise<void>;
}

/** As many as the server gives at once. */
const pageSize = 1000;

export function createOptOuts(api: Api): OptOuts {
  return {
    async *list(filter = {}, options) {
      const path = ["opt-outs"];
      let after: string | undefined;
      do {
        const query = { ...filter, limit: pageSize, after };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "optOuts").map(toOptOut);
        after = findText(body, "next");
      } while (after !== undefined);
    },
    async create(body, options) {
      const path = ["opt-outs"];
      const request = {
        method: "POST",
        path,
        body,
        isIdempotent: true,
      } as const;
      return toOptOut((await api(request, options)).body);
    },
    async delete(recipient, sender, options = {}) {
      const path = ["opt-outs", recipient];
      const request = { method: "DELETE", path, query: { sender } } as const;
      await deleted(api(request, options), options);
    },
  };
}

function toOptOut(body: JsonObject): OptOut {
  return {
    ...body,
    recipient: readText(body, "recipient"),
    sender: findText(body, "sender"),
    keyword: findText(body, "keyword") ?? "",
    since: readText(body, "since"),
  };
}
