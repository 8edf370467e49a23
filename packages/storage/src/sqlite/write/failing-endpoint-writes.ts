/** Writes of which endpoints fail. */

import type { DatabaseSync } from "node:sqlite";
import type {
  EpochMs,
  FailingEndpoint,
  OccurrenceType,
  ProjectEndpoint,
} from "@carillon/core";
import { failingEndpoints } from "../schema/failing-endpoint-table.ts";
import type { ChangeJournal } from "./change-journal.ts";
import type { ChangeNotices } from "./change-notices.ts";

export function createFailingEndpointWrites(
  db: DatabaseSync,
  journal: ChangeJournal,
  notices: ChangeNotices,
) {
  const insert = db.prepare(
    `${failingEndpoints.insert} ON CONFLICT DO NOTHING`,
  );
  /** Parameters: how many stay. Index: the primary key. */
  const dropOldest = db.prepare(
    `DELETE FROM failing_endpoints WHERE seq <=
       (SELECT seq FROM failing_endpoints ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
  );
  const remove = db.prepare(
    `DELETE FROM failing_endpoints
     WHERE project_id = ? AND protocol = ? AND endpoint = ?`,
  );

  function tell(
    type: OccurrenceType,
    { projectId, protocol, endpoint }: ProjectEndpoint,
    failures: number,
    at: EpochMs,
  ): void {
    const about = { protocol, endpoint, failures };
    journal.addOccurrence({ type, projectId, about }, at);
    notices.note({ kind: "endpoint", projectId, protocol, endpoint });
  }

  return {
    addFailingEndpoint(
      failing: FailingEndpoint,
      failures: number,
      maxKept: number,
    ): boolean {
      const { changes } = insert.run(...failingEndpoints.toRow(failing));
      if (changes === 0) return false;
      dropOldest.run(maxKept);
      tell("endpoint.failing", failing, failures, failing.since);
      return true;
    },
    removeFailingEndpoint(
      endpoint: ProjectEndpoint,
      failures: number,
      at: EpochMs,
    ): boolean {
      const { projectId, protocol, endpoint: address } = endpoint;
      if (remove.run(projectId, protocol, address).changes === 0) return false;
      tell("endpoint.recovered", endpoint, failures, at);
      return true;
    },
  };
}
