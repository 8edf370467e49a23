/** Finds what carriers and mail servers said nothing of for too long. */

import type { EpochMs } from "../time.ts";

/** What becomes of a delivery whose report did not come in time. */
export interface IdleRule {
  /** Of what costs money, which texts do, or of all else, such as mails. */
  readonly billable: boolean;
  /** Its idle timeout began then or before. */
  readonly idleSince: EpochMs;
  /** Of the timeout, for the error. */
  readonly timeoutMinutes: number;
  readonly becomes: IdleEnd;
}

/**
 * - `failed`: with an error that says so.
 * - `final`: it stays `sent`, and no report is expected any more; one that comes
 *   all the same counts.
 * - `unchanged`: it stays `sent`, and its report is still expected.
 *
 * Whichever it is, it is not found again.
 */
export type IdleEnd = "failed" | "final" | "unchanged";

export interface DeliveryCheckStore {
  /**
   * Applies the rule to deliveries that are `sent` and wait for a report, those
   * that are idle longest first, at most `limit` in one transaction. What becomes
   * `failed` counts no attempt.
   */
  endIdle(
    rule: IdleRule,
    limit: number,
  ): Promise<{ readonly idle: number; readonly mayHaveMore: boolean }>;
  /**
   * Has an entry asked now about deliveries that it is to be asked about later, at
   * most `limit`; answers how many.
   */
  bringPollsForward(entry: string, limit: number): Promise<number>;
}
