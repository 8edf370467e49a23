/**
 * Is called for deliveries once their outcomes are on disk. After a crash in
 * between it is not: what must not be missed is read from the store.
 */

import type { DeliveryOutcome } from "../messages/delivery.ts";
import type { Message } from "../messages/message.ts";
import type { Recipient } from "./channel.ts";

/** A delivery whose outcome was written, and that outcome. */
export interface WrittenDelivery {
  readonly item: { readonly message: Message; readonly recipient: Recipient };
  readonly outcome: DeliveryOutcome;
  /** It was decided without an attempt: held by a guard, or carried by nobody. */
  readonly isWithoutAttempt?: true;
}

/** Is called with deliveries whose outcomes are on disk. */
export interface DeliveryListener {
  /** Never throws and does not hold up the engine. */
  onWritten(deliveries: readonly WrittenDelivery[]): void;
}
