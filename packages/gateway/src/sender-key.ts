/** Senders as they are compared. */

import { internationalDigits } from "./phone-number.ts";

/** Numbers in digits, names in capitals, so that spelling does not matter. */
export function senderKey(sender: string): string {
  return /\p{L}/u.test(sender)
    ? sender.toUpperCase()
    : internationalDigits(sender);
}
