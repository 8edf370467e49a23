/** What is counted of messages in mailboxes. */

/** What happens to messages in mailboxes, as it is counted. */
export const queueEvents = [
  /** Leased. */
  "leased",
  /** Confirmed; not those by a GET of the Notipy protocol, which the store decides. */
  "confirmed",
  /** Given back by their consumers. */
  "nacked",
  /** Their lease ended; they wait again. */
  "returned",
  /** Their lease ended for the last time. */
  "dead",
] as const;

/** One of {@link queueEvents}. */
export type QueueEvent = (typeof queueEvents)[number];
