/** When the deliveries of a message that is accepted are due. */

import {
  type Clock,
  type EpochMs,
  type NewMessage,
  type UrgencyOptions,
  urgencyOf,
} from "@carillon/core";
import type { Wait } from "../write/message-writes.ts";

/** When it may go out; not before now. */
export function dueAt(
  { notBefore }: Pick<NewMessage, "notBefore">,
  clock: Pick<Clock, "now">,
): EpochMs {
  const now = clock.now();
  return notBefore !== undefined && notBefore > now ? notBefore : now;
}

/** Of deliveries that wait for their turn alone. */
export function toWait(
  message: NewMessage,
  clock: Pick<Clock, "now">,
  options: UrgencyOptions,
): Wait {
  return [dueAt(message, clock), urgencyOf(message, options), null];
}
