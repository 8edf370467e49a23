/**
 * Which endpoints fail, for all nodes and beyond a restart. That one begins to
 * fail, and that it recovers, is added to the change feed in the same transaction,
 * so that each is told once however many nodes notice it.
 */

import type { ProjectId } from "../ids.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";

/** An endpoint of a project's subscribers. */
export interface ProjectEndpoint {
  readonly projectId: ProjectId;
  readonly protocol: Protocol;
  readonly endpoint: string;
}

export interface FailingEndpoint extends ProjectEndpoint {
  readonly since: EpochMs;
}

/** Beyond that the one that began first is forgotten; of it nothing is told. */
export const maxFailingEndpoints = 10_000;

export interface FailingEndpointStore {
  /**
   * Keeps that an endpoint fails, after so many failures, and adds
   * `endpoint.failing` to the change feed. False: that is known; nothing was
   * written.
   */
  addFailingEndpoint(
    endpoint: FailingEndpoint,
    failures: number,
  ): Promise<boolean>;
  /**
   * It failed so often and does not any more: adds `endpoint.recovered`. False:
   * it is not known to have failed; nothing was written.
   */
  removeFailingEndpoint(
    endpoint: ProjectEndpoint,
    failures: number,
    at: EpochMs,
  ): Promise<boolean>;
  findFailingEndpoint(
    endpoint: ProjectEndpoint,
  ): Promise<FailingEndpoint | undefined>;
  /** All, those that began first in front. */
  listFailingEndpoints(): Promise<readonly FailingEndpoint[]>;
}
