/**
 * Told of deliveries once their outcomes are on disk. A crash in between leaves
 * it untold: what must not be missed is read from the store.
 */

import type { DeliveryOutcome } from "../messages/delivery.ts";
import type { Message } from "../messages/message.ts";
import type { Recipient } from "./channel.ts";

export interface WrittenDelivery {
  readonly item: { readonly message: Message; readonly recipient: Recipient };
  readonly outcome: DeliveryOutcome;
}

export interface DeliveryListener {
  /** Never throws and does not hold up the engine. */
  onWritten(deliveries: readonly WrittenDelivery[]): void;
}
