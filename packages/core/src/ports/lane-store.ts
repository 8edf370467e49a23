/**
 * What subscribers of pull protocols ask of a store. Their deliveries are
 * written at fan-out as `waiting` in the lane of their subscription; no engine
 * looks at them. A claim is held as an engine's is: with owner, lease and
 * fence, renewed by `renew`, and freed by `reclaim`, after which it
 * waits again. So a crash of the subscriber, or of a node, leaves it waiting.
 *
 * Nothing calls `claimLane`, `ackLane` and `releaseLane` yet: there is no API by
 * which subscribers fetch. A lane is the queue of one subscription here, not what
 * bounds attempts at an endpoint.
 */

import type { EpochMs } from "../time.ts";
import type { ClaimedDelivery, Lease } from "./work-store.ts";

/** Names a claimed delivery, and the claim. */
export interface LaneClaim {
  readonly messageSeq: number;
  readonly target: number;
  readonly fence: number;
}

/** Keeps and hands out what subscribers fetch. */
export interface LaneStore {
  /**
   * Claims deliveries that wait in a lane, oldest message first: each is
   * `sending` on disk before this resolves. No delivery is held twice at once.
   * Those that are not wanted any more become `cancelled` instead; those whose
   * time is over are left to {@link expireLanes}.
   *
   * @param lane number of the subscription
   */
  claimLane(
    lease: Lease,
    lane: number,
    now: EpochMs,
    limit: number,
  ): Promise<readonly ClaimedDelivery[]>;
  /**
   * Its subscriber has it: `delivered`. Answers for each claim whether it still
   * held; nothing is written for those that did not.
   */
  ackLane(
    claims: readonly LaneClaim[],
    now: EpochMs,
  ): Promise<readonly boolean[]>;
  /** Gives claims back: they wait again. Answers as {@link ackLane} does. */
  releaseLane(claims: readonly LaneClaim[]): Promise<readonly boolean[]>;
  /**
   * Ends at most `limit` deliveries that nobody fetched in time: `expired`.
   * What is claimed is left until it is given back.
   *
   * @returns how many there were
   */
  expireLanes(now: EpochMs, limit: number): Promise<number>;
}
