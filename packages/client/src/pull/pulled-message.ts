/** A message as it is fetched from a mailbox with a lease. */

import {
  findNumber,
  findText,
  findTexts,
  type JsonObject,
  readText,
} from "../json.ts";
import type { MessageAttribute } from "../smn/messages.ts";
import type {
  Leases,
  NackOptions,
  SettledLeases,
  SettleOptions,
} from "./leases.ts";

/**
 * A message that is leased: nobody else gets it until it is given back or the lease
 * ends. Members that a newer server adds are handed through. The methods answer
 * whether the lease still held; if not, the message comes again, or went to someone
 * else.
 */
export interface PulledMessage extends JsonObject {
  /** The same whenever the message comes. */
  readonly id: string;
  /** Of this time that it came. */
  readonly leaseId: string;
  /** RFC 3339, UTC, with milliseconds, as all instants. */
  readonly leaseUntil: string;
  /** How often it was handed out, this time included. */
  readonly deliveryCount: number;
  readonly body: string;
  /** What its publisher put beside the text. */
  readonly data?: unknown;
  /** References of the categories it was published to, or names of topics. */
  readonly categories: readonly string[];
  readonly createdAt: string;
  readonly topicUrn?: string | undefined;
  readonly subject?: string | undefined;
  readonly attributes?: readonly MessageAttribute[] | undefined;
  readonly orderingKey?: string | undefined;
  /** It was handled and does not come again. */
  ack(options?: SettleOptions): Promise<boolean>;
  /** It was not handled, and comes again. */
  nack(options?: NackOptions): Promise<boolean>;
  /** The lease ends so many seconds from now: 5 to 43,200. */
  extend(seconds: number, options?: SettleOptions): Promise<boolean>;
}

/** A message, and what its stream has to know of it. */
export interface LeasedMessage {
  readonly message: PulledMessage;
  /** Neither acked nor nacked, as far as was asked for. */
  isOpen(): boolean;
}

/** @throws InvalidResponseError when it lacks an id or a lease */
export function toLeasedMessage(
  fields: JsonObject,
  leases: Leases,
): LeasedMessage {
  const leaseId = readText(fields, "leaseId");
  let isOpen = true;
  const close = async (settling: Promise<SettledLeases>): Promise<boolean> => {
    // At once: who leaves a loop right behind it does not give it back as well.
    isOpen = false;
    try {
      return (await settling).stale.length === 0;
    } catch (error) {
      isOpen = true;
      throw error;
    }
  };
  const message: PulledMessage = {
    ...fields,
    id: readText(fields, "id"),
    leaseId,
    leaseUntil: readText(fields, "leaseUntil"),
    deliveryCount: findNumber(fields, "deliveryCount") ?? 1,
    body: findText(fields, "body") ?? "",
    categories: findTexts(fields, "categories"),
    createdAt: readText(fields, "createdAt"),
    ack: (options) => close(leases.ack([leaseId], options)),
    nack: (options) => close(leases.nack([leaseId], options)),
    extend: async (seconds, options) =>
      (await leases.extend([leaseId], seconds, options)).stale.length === 0,
  };
  return { message, isOpen: () => isOpen };
}
