/** The suppression list of the project: addresses that get no mails. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import { type DeleteOptions, deleted } from "../smn/missing.ts";
import type { RequestOptions } from "../transport.ts";

/** `bounced`: it takes no mail; `complained`: its owner called one spam. */
export type SuppressionReason = "bounced" | "complained" | "manual";

/** An address that gets no mails. */
export interface EmailSuppression extends JsonObject {
  readonly address: string;
  /** One that this version does not know is possible. */
  readonly reason: SuppressionReason | (string & {});
  /** Why, in words. */
  readonly detail?: string | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`: when its last reason came. */
  readonly since: string;
  /** The delivery that led to it last. */
  readonly deliveryId?: string | undefined;
  /** How often there was a reason. */
  readonly count: number;
}

/** An address that is to get no more mails. */
export interface NewEmailSuppression {
  readonly address: string;
  /** Why; at most 500 characters. */
  readonly detail?: string | undefined;
}

/** Absent members do not constrain. */
export interface EmailSuppressionQuery {
  readonly address?: string | undefined;
}

/** Lists the suppressed addresses, adds to them and takes them off. */
export interface EmailSuppressions {
  /** By address; pages are fetched as needed. */
  list(
    query?: EmailSuppressionQuery,
    options?: RequestOptions,
  ): AsyncGenerator<EmailSuppression, void, undefined>;
  /** Keeps mails from an address. Twice is fine. */
  create(
    suppression: NewEmailSuppression,
    options?: RequestOptions,
  ): Promise<EmailSuppression>;
  /** Lets an address get mails again. Twice is fine. */
  delete(address: string, options?: DeleteOptions): Promise<void>;
}

/** As many as the server gives at once. */
const pageSize = 1000;

export function createEmailSuppressions(api: Api): EmailSuppressions {
  const path = ["email-suppressions"];
  return {
    async *list(filter = {}, options) {
      let after: string | undefined;
      do {
        const query = { ...filter, limit: pageSize, after };
        const { body } = await api({ method: "GET", path, query }, options);
        yield* readObjects(body, "suppressions").map(toSuppression);
        after = findText(body, "next");
      } while (after !== undefined);
    },
    async create(body, options) {
      const request = {
        method: "POST",
        path,
        body,
        isIdempotent: true,
      } as const;
      return toSuppression((await api(request, options)).body);
    },
    async delete(address, options = {}) {
      const request = { method: "DELETE", path: [...path, address] } as const;
      await deleted(api(request, options), options);
    },
  };
}

function toSuppression(body: JsonObject): EmailSuppression {
  return {
    ...body,
    address: readText(body, "address"),
    reason: readText(body, "reason"),
    detail: findText(body, "detail"),
    since: readText(body, "since"),
    deliveryId: findText(body, "deliveryId"),
    count: findNumber(body, "count") ?? 1,
  };
}
