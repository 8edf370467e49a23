/** Single deliveries: shown, sent again, cancelled, settled. */

import type { Api } from "../api.ts";
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
    cancel: (id, cancel = {}, options) => act(id, "cancel", cancel, options),
    settle: (id, as, settle = {}, options) =>
      act(id, "settle", { as, ...settle }, options),
  };
}
