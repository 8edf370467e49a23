/** Single deliveries: shown, sent again, cancelled, settled. */

import type { Api } from "../api.ts";
import { findText, type JsonObject, readObjects, readText } from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { type Delivery, toDelivery } from "./messages.ts";

/** Why something is done to a delivery; for its history. */
export interface ActionReason {
  /** At most 500 characters. */
  readonly reason?: string | undefined;
}

/** How a delivery is sent again. */
export interface ResendOptions extends ActionReason {
  /** A new life from now on; needed once the old one is over. */
  readonly timeToLiveSeconds?: number | undefined;
}

/** What a delivery whose outcome is unknown is settled as. */
export type Settlement = "resend" | "failed" | "delivered";

/** What a mail server, or a service, reported of a mail. */
export interface MailEvent extends JsonObject {
  /** `delivered`, `deferred`, `bounced`, `rejected`, `complained`. */
  readonly event: string;
  /** Of what bounced: whether the address takes no mail. */
  readonly hard?: boolean | undefined;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`, as far as the reporter says. */
  readonly at: string;
  /** When the report came. */
  readonly receivedAt: string;
  /** The address that the report names. */
  readonly recipient?: string | undefined;
  /** Enhanced status such as `5.1.1`. */
  readonly code?: string | undefined;
  /** The words of the server that refused it. */
  readonly diagnostic?: string | undefined;
  /** The report as it came, at most 64 KB. */
  readonly raw?: string | undefined;
}

/**
 * Shows deliveries and acts on them. What cannot be done in the state that a
 * delivery is in is refused with the reason: a ResponseError of status 409.
 */
export interface Deliveries {
  /** @throws ResourceNotFoundError */
  get(id: string, options?: RequestOptions): Promise<Delivery>;
  /** Makes another attempt now; what costs money costs it again. */
  resend(
    id: string,
    resend?: ResendOptions,
    options?: RequestOptions,
  ): Promise<Delivery>;
  /** Only while its next attempt has not begun. */
  cancel(
    id: string,
    cancel?: ActionReason,
    options?: RequestOptions,
  ): Promise<Delivery>;
  /** What is unknown: sent again, or counted as failed or delivered. */
  settle(
    id: string,
    as: Settlement,
    settle?: ResendOptions,
    options?: RequestOptions,
  ): Promise<Delivery>;
  /** What was reported of a mail, in the order in which it came. */
  mailEvents(id: string, options?: RequestOptions): Promise<MailEvent[]>;
}

export function createDeliveries(api: Api): Deliveries {
  async function act(
    id: string,
    action: string,
    body: object,
    options: RequestOptions | undefined,
  ): Promise<Delivery> {
    const path = ["deliveries", id, action];
    return toDelivery(
      (await api({ method: "POST", path, body }, options)).body,
    );
  }
  return {
    async get(id, options) {
      const path = ["deliveries", id];
      return toDelivery((await api({ method: "GET", path }, options)).body);
    },
    resend: (id, resend = {}, options) => act(id, "resend", resend, options),
    async mailEvents(id, options) {
      const path = ["deliveries", id, "mail-events"];
      const { body } = await api({ method: "GET", path }, options);
      return readObjects(body, "events").map(toMailEvent);
    },
    cancel: (id, cancel = {}, options) => act(id, "cancel", cancel, options),
    settle: (id, as, settle = {}, options) =>
      act(id, "settle", { as, ...settle }, options),
  };
}

function toMailEvent(body: JsonObject): MailEvent {
  return {
    ...body,
    event: readText(body, "event"),
    hard: typeof body.hard === "boolean" ? body.hard : undefined,
    at: readText(body, "at"),
    receivedAt: readText(body, "receivedAt"),
    recipient: findText(body, "recipient"),
    code: findText(body, "code"),
    diagnostic: findText(body, "diagnostic"),
    raw: findText(body, "raw"),
  };
}
