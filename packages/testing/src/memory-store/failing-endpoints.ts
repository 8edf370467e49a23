/** Which endpoints fail, in the in-memory store. */

import {
  type EpochMs,
  type FailingEndpointStore,
  maxFailingEndpoints,
  type OccurrenceType,
  type ProjectEndpoint,
} from "@carillon/core";
import type { Tables } from "./tables.ts";

export function createFailingEndpointStore({
  failingEndpoints,
  journal,
  write,
}: Tables): FailingEndpointStore {
  function tell(
    type: OccurrenceType,
    { projectId, protocol, endpoint }: ProjectEndpoint,
    failures: number,
    at: EpochMs,
  ): void {
    const about = { protocol, endpoint, failures };
    journal.note({ kind: "occurrence", type, projectId, about }, at);
  }

  return {
    addFailingEndpoint: (failing, failures) =>
      write(() => {
        const key = keyOf(failing);
        if (failingEndpoints.has(key)) return false;
        failingEndpoints.put(key, failing);
        const [oldest] = failingEndpoints.list();
        const isFull = failingEndpoints.size > maxFailingEndpoints;
        if (isFull && oldest) failingEndpoints.delete(keyOf(oldest));
        tell("endpoint.failing", failing, failures, failing.since);
        return true;
      }),
    removeFailingEndpoint: (endpoint, failures, at) =>
      write(() => {
        if (!failingEndpoints.delete(keyOf(endpoint))) return false;
        tell("endpoint.recovered", endpoint, failures, at);
        return true;
      }),
    findFailingEndpoint: async (endpoint) =>
      failingEndpoints.get(keyOf(endpoint)),
    listFailingEndpoints: async () => failingEndpoints.list(),
  };
}

function keyOf({ projectId, protocol, endpoint }: ProjectEndpoint): string {
  return `${projectId} ${protocol} ${endpoint}`;
}
