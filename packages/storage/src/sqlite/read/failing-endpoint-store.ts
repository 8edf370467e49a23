/** Which endpoints fail, in SQLite: reads, and the way to the writer. */

import { type FailingEndpointStore, maxFailingEndpoints } from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type FailingEndpointRow,
  failingEndpoints,
} from "../schema/failing-endpoint-table.ts";

export function createFailingEndpointStore({
  reader,
  writer,
}: Connections): FailingEndpointStore {
  /** Parameters: project, protocol, endpoint. Index: that of UNIQUE. */
  const one = reader.prepare<FailingEndpointRow>(
    `SELECT ${failingEndpoints.columns()} FROM failing_endpoints
     WHERE project_id = ? AND protocol = ? AND endpoint = ?`,
  );
  const all = reader.prepare<FailingEndpointRow>(
    `SELECT ${failingEndpoints.columns()} FROM failing_endpoints ORDER BY seq`,
  );

  return {
    addFailingEndpoint: (failing, failures) =>
      writer.run("addFailingEndpoint", failing, failures, maxFailingEndpoints),
    removeFailingEndpoint: (endpoint, failures, at) =>
      writer.run("removeFailingEndpoint", endpoint, failures, at),
    async findFailingEndpoint({ projectId, protocol, endpoint }) {
      const row = one.get(projectId, protocol, endpoint);
      return row && failingEndpoints.fromRow(row);
    },
    async listFailingEndpoints() {
      return all.all().map((row) => failingEndpoints.fromRow(row));
    },
  };
}
