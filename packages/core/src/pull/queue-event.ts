/** What is counted of messages in mailboxes. */

/** What happens to messages in mailboxes, as it is counted. */
export const queueEvents = [
  /** Leased. */
  "leased",
  /** Confirmed, in whatever way. */
  "confirmed",
  /** Given back by their consumers; some of these are dead by it. */
  "nacked",
  /** Their lease ended; they wait again. */
  "returned",
  /** They were handed out as often as may be. */
  "dead",
] as const;

/** One of {@link queueEvents}. */
export type QueueEvent = (typeof queueEvents)[number];
