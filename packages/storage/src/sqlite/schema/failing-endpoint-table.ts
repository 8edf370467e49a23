/** Endpoints that fail, as they stand in their table. */

import type { FailingEndpoint, ProjectId, Protocol } from "@carillon/core";
import { epochMs, text, textOf } from "./codec.ts";
import { defineTable, type RowOf } from "./table.ts";

export type FailingEndpointRow = RowOf<FailingEndpoint>;

export const failingEndpoints = defineTable("failing_endpoints", {
  projectId: textOf<ProjectId>(),
  protocol: textOf<Protocol>(),
  endpoint: text,
  since: epochMs,
});
