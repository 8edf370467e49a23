/**
 * What asks for deliveries that are due, through deliveries_due: apart, so that a
 * test holds the plans of these statements.
 */

import { urgencies } from "@carillon/core/rules";
import { stateCodes } from "./codes.ts";
import { dueColumns, dueTables } from "./due-row.ts";

/**
 * Of one urgency, longest due first, with their recipients and with what decides
 * whether they are still wanted.
 * Parameters: urgency, now, limit. Index: deliveries_due.
 */
export const dueSql = `SELECT ${dueColumns}
  FROM deliveries AS d INDEXED BY deliveries_due ${dueTables}
  WHERE d.urgency = ? AND d.next_attempt_at <= ?
  ORDER BY d.next_attempt_at LIMIT ?`;

/**
 * When the first of each urgency is due, the most urgent first; NULL: there is
 * none. Index: deliveries_due, of each urgency the first row.
 */
export const nextDeliverySql = `SELECT ${urgencies
  .map(
    (urgency) => `(SELECT next_attempt_at
       FROM deliveries INDEXED BY deliveries_due
       WHERE urgency = ${urgency} AND next_attempt_at IS NOT NULL
       ORDER BY next_attempt_at LIMIT 1)`,
  )
  .join(", ")}`;

/**
 * How many wait for their first attempt, and how many in all, less those that are
 * sent. Parameters: limit. Index: deliveries_due, from its first row.
 */
export const backlogSql = `SELECT
    count(*) FILTER (WHERE state = ${stateCodes.waiting}),
    count(*) FILTER (WHERE state <> ${stateCodes.sent})
  FROM (SELECT state FROM deliveries INDEXED BY deliveries_due
        WHERE next_attempt_at IS NOT NULL
        ORDER BY urgency, next_attempt_at LIMIT ?)`;

/**
 * Those that wait for a reason, by urgency, then by age. Parameters: reason,
 * limit. Index: deliveries_wait, in its order.
 */
export const waitingSql = `SELECT message_seq, target, attempts
  FROM deliveries INDEXED BY deliveries_wait
  WHERE wait_reason = ? AND next_attempt_at IS NOT NULL
  ORDER BY urgency, message_seq, target LIMIT ?`;
