/**
 * `sendBatch` and `checkDelivery`: runs of the batch sender and delivery checks,
 * when the program says. They are for messages of all projects, as the runs of the
 * server and of the command line are.
 */

import {
  type BatchSender,
  CarillonError,
  type DeliveryChecks,
  type StoredChannel,
} from "@carillon/core";
import { invalid, membersOf } from "./message-requests.ts";

/** What became of the messages of a run: their ids, in the order they were due. */
export interface BatchReport {
  /** They had an attempt, whatever came of it. */
  readonly sent: readonly string[];
  /** They ended without one: they were too old, or something held them. */
  readonly failed: readonly string[];
  /** They had none within twenty seconds; they go on by themselves. */
  readonly pending: readonly string[];
}

/** Messages that batch mode has stored. */
export interface OwnBatches {
  /**
   * Sends those of the highest priority first, then the oldest; resolves once each
   * had its attempt, twenty seconds later at the latest. Several runs at once, in
   * other processes too, take different messages.
   *
   * @throws CarillonError BATCH_SENDING_OFF where batch mode is off, SHUTTING_DOWN;
   * RequestError REQUEST_INVALID
   */
  sendBatch(options?: {
    /** 1 to 10,000. Default: the `batch.size` of the channel. */
    readonly limit?: number | undefined;
  }): Promise<BatchReport>;
}

/** What a look for reports found. */
export interface DeliveryCheckReport {
  /** Texts whose carriers were asked about them. */
  readonly asked: number;
  /** Texts whose report did not come within the idle timeout. */
  readonly idle: number;
  readonly idleTimeoutMinutes: number;
  /** Whether those are `failed` now; else they stay `sent`. */
  readonly failedIdle: boolean;
}

/** Texts whose carriers owe a report. */
export interface OwnDeliveryChecks {
  /**
   * Asks carriers now about all texts that they can be asked about, then applies
   * the idle timeout to those whose report did not come.
   *
   * @throws CarillonError SHUTTING_DOWN
   */
  checkDelivery(): Promise<DeliveryCheckReport>;
}

const maxLimit = 10_000;

export function createOwnBatches({
  channel,
  batchSender,
  isOpen,
}: {
  readonly channel: StoredChannel;
  readonly batchSender: Pick<BatchSender, "run">;
  readonly isOpen: () => boolean;
}): OwnBatches {
  return {
    async sendBatch(options = {}) {
      if (!isOpen()) throw new CarillonError("SHUTTING_DOWN");
      const { limit } = membersOf(options, ["limit"]);
      return await batchSender.run(channel, { limit: toLimit(limit) });
    },
  };
}

export function createOwnDeliveryChecks({
  deliveryChecks,
  isOpen,
}: {
  readonly deliveryChecks: Pick<DeliveryChecks, "run">;
  readonly isOpen: () => boolean;
}): OwnDeliveryChecks {
  return {
    async checkDelivery() {
      if (!isOpen()) throw new CarillonError("SHUTTING_DOWN");
      return await deliveryChecks.run();
    },
  };
}

/** @throws RequestError REQUEST_INVALID */
function toLimit(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const isOne =
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= 1 &&
    value <= maxLimit;
  if (isOne) return value;
  throw invalid(`A whole number from 1 to ${maxLimit} is expected as limit.`);
}
