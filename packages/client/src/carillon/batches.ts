/** What a scheduler has done: batches sent, delivery checks made; for operators. */

import type { Api } from "../api.ts";
import {
  findNumber,
  findTexts,
  type JsonObject,
  readBoolean,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** What became of the messages of a run, in the order in which they were due. */
export interface BatchRun extends JsonObject {
  /** Ids of those that had an attempt, whatever came of it. */
  readonly sent: readonly string[];
  /** Ids of those that ended without one: too old, or held. */
  readonly failed: readonly string[];
  /** Ids of those that had none after twenty seconds; they go on by themselves. */
  readonly pending: readonly string[];
}

/** What a delivery check did. */
export interface DeliveryCheck extends JsonObject {
  /** Texts whose carriers were asked about them. */
  readonly asked: number;
  /** Texts whose report did not come within the idle timeout. */
  readonly idle: number;
  readonly idleTimeoutMinutes: number;
  /** Whether those are failed now; else they stay sent. */
  readonly failedIdle: boolean;
}

/** What is done by a scheduler. */
export interface Batches {
  /**
   * Sends what batch mode has stored, of all projects. Resolves once each message
   * had its attempt, twenty seconds later at the latest.
   *
   * @param limit messages at most; default: as the service is set up
   * @throws ApiError `BATCH_SENDING_OFF`
   */
  run(
    channel: "sms" | "email",
    settings?: { readonly limit?: number | undefined },
    options?: RequestOptions,
  ): Promise<BatchRun>;
  /** Asks carriers for reports, then applies the idle timeout. */
  checkDeliveries(options?: RequestOptions): Promise<DeliveryCheck>;
}

const paths = { sms: "sms", email: "emails" } as const;

export function createBatches(api: Api): Batches {
  return {
    async run(channel, { limit } = {}, options) {
      const path = [paths[channel], "batch-runs"];
      const { body } = await api(
        { method: "POST", path, body: { limit } },
        options,
      );
      return {
        ...body,
        sent: findTexts(body, "sent"),
        failed: findTexts(body, "failed"),
        pending: findTexts(body, "pending"),
      };
    },
    async checkDeliveries(options) {
      const path = ["sms", "delivery-checks"];
      const { body } = await api({ method: "POST", path }, options);
      return {
        ...body,
        asked: findNumber(body, "asked") ?? 0,
        idle: findNumber(body, "idle") ?? 0,
        idleTimeoutMinutes: findNumber(body, "idleTimeoutMinutes") ?? 0,
        failedIdle: readBoolean(body, "failedIdle"),
      };
    },
  };
}
