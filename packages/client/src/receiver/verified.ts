/** Which messages came out of a verification, and not from anywhere else. */

import type { ReceivedMessage } from "./notification.ts";

const verified = new WeakSet<ReceivedMessage>();

export function markVerified(message: ReceivedMessage): void {
  verified.add(message);
}

/** Whether this very object was verified. */
export function isVerified(message: ReceivedMessage): boolean {
  return verified.has(message);
}
