/** Leases and delays in mailboxes that are over, and that nobody has ended yet. */

import { queueStates } from "./codes.ts";

/**
 * Among so many of all mailboxes one looks for its own. What stands behind them is
 * ended by the timer, which tells the mailbox.
 */
const maxEnded = 1000;

/** The first of them. Parameter: now. Index: deliveries_leased, which has it all. */
export const firstEnded = `SELECT message_seq, target, mailbox
  FROM deliveries INDEXED BY deliveries_leased
  WHERE queue_state = ${queueStates.leased} AND lease_until <= ?
  ORDER BY lease_until LIMIT ${maxEnded}`;
