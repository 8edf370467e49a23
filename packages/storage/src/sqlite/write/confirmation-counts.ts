/** Counts confirmations against their limits. */

import type { DatabaseSync } from "node:sqlite";
import type { ConfirmationLimit, EpochMs } from "@carillon/core";
import {
  type ConfirmationWindow,
  countConfirmation,
} from "@carillon/core/rules";
import { prepareQuery } from "../schema/query.ts";

export function createConfirmationCounts(db: DatabaseSync) {
  const windowsOf = prepareQuery<[windows: string]>(
    db,
    `SELECT windows FROM confirmation_counts
     WHERE project_id = ? AND endpoint = ? AND protocol = ?`,
  );
  const put = db.prepare(
    `INSERT INTO confirmation_counts
       (project_id, endpoint, protocol, windows, stale_at)
     VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET windows = excluded.windows,
       stale_at = excluded.stale_at`,
  );
  /** A few at a time, more than are added. Index: confirmation_counts_stale. */
  const deleteStale = db.prepare(
    `DELETE FROM confirmation_counts
     WHERE (project_id, endpoint, protocol) IN (
       SELECT project_id, endpoint, protocol FROM confirmation_counts
       WHERE stale_at <= ? ORDER BY stale_at LIMIT 4)`,
  );
  const deleteOfSubscription = db.prepare(
    `DELETE FROM confirmation_counts
     WHERE (project_id, endpoint, protocol) = (
       SELECT project_id, endpoint, protocol FROM subscriptions
       WHERE seq = ?)`,
  );

  return {
    /** Counts one more; answers false, and counts nothing, over a limit. */
    admit(
      projectId: string,
      endpoint: string,
      protocol: string,
      limits: readonly ConfirmationLimit[],
      now: EpochMs,
    ): boolean {
      if (limits.length === 0) return true;
      const [text = "[]"] = windowsOf.get(projectId, endpoint, protocol) ?? [];
      // Only this function writes the column.
      const known = JSON.parse(text) as ConfirmationWindow[];
      const windows = countConfirmation(known, limits, now);
      if (windows === undefined) return false;
      deleteStale.run(now);
      put.run(
        projectId,
        endpoint,
        protocol,
        JSON.stringify(windows),
        Math.max(...windows.map(({ endsAt }) => endsAt)),
      );
      return true;
    },
    /** Begins anew for the endpoint of a subscription. */
    clear(subscriptionSeq: number): void {
      deleteOfSubscription.run(subscriptionSeq);
    },
  };
}
