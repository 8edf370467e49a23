/**
 * One lane per endpoint, or per credential that many endpoints share: how many
 * attempts may be under way in it at once. A broken endpoint fills its own lane
 * only. Only lanes in use take memory.
 */

import type { Recipient } from "../ports/channel.ts";
import type { Protocols } from "../subscriptions/protocol.ts";

/**
 * Builds what says which lane a recipient is in, by its protocol's definition.
 * It is called for each attempt, and makes nothing where all have their own.
 */
export function createLaneOf({
  all,
}: Pick<Protocols, "all">): (recipient: Recipient) => string {
  const shared = new Map(
    all.flatMap(({ name, laneOf }) =>
      laneOf ? [[name, laneOf] as const] : [],
    ),
  );
  if (shared.size === 0) return ({ endpoint }) => endpoint;
  return ({ protocol, endpoint }) => {
    const laneOf = shared.get(protocol);
    // Apart from endpoints, which may look the same.
    return laneOf === undefined ? endpoint : `${protocol} ${laneOf(endpoint)}`;
  };
}

interface Lane<Waiter> {
  running: number;
  /** Of those running, the slow ones. */
  slow: number;
  /** Who waits for a place, oldest first; made for the first who does. */
  waiting: Set<Waiter> | undefined;
  /** How many were turned away since `countedFrom`. */
  turnedAway: number;
  countedFrom: number;
}

/** Turned away is counted in spans of this length, in milliseconds. */
const countingMs = 1000;
const maxFactor = 30;

export class Lanes<Waiter> {
  readonly #inFlightPerLane: number;
  readonly #lanes = new Map<string, Lane<Waiter>>();

  constructor(inFlightPerLane: number) {
    this.#inFlightPerLane = inFlightPerLane;
  }

  /** Takes a place in the endpoint's lane; false when it is full. */
  tryEnter(endpoint: string): boolean {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) {
      this.#lanes.set(endpoint, {
        running: 1,
        slow: 0,
        waiting: undefined,
        turnedAway: 0,
        countedFrom: 0,
      });
      return true;
    }
    if (lane.running >= this.#inFlightPerLane) return false;
    lane.running++;
    return true;
  }

  /**
   * Waits for a place in a full lane. False when the lane is slow and as many
   * wait already as could go next: whoever comes then had better come later.
   */
  wait(endpoint: string, waiter: Waiter): boolean {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) throw new Error("Only a full lane is waited for.");
    lane.waiting ??= new Set();
    if (lane.slow > 0 && lane.waiting.size >= this.#inFlightPerLane) {
      return false;
    }
    lane.waiting.add(waiter);
    return true;
  }

  /** Waits no more. */
  withdraw(endpoint: string, waiter: Waiter): void {
    this.#lanes.get(endpoint)?.waiting?.delete(waiter);
  }

  /** An attempt of this lane is slow, or no longer. */
  countSlow(endpoint: string, change: 1 | -1): void {
    const lane = this.#lanes.get(endpoint);
    if (lane) lane.slow += change;
  }

  /** Whether an attempt of this lane is slow at the moment. */
  isSlow(endpoint: string): boolean {
    return (this.#lanes.get(endpoint)?.slow ?? 0) > 0;
  }

  /**
   * How many times longer than usual to stay away from a lane that is full: in
   * proportion to how many came in vain, so that a long queue of one endpoint
   * does not come back again and again before it has a chance.
   *
   * @param now monotonic milliseconds
   */
  turnAway(endpoint: string, now: number): number {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) return 1;
    if (now - lane.countedFrom > countingMs) {
      lane.turnedAway = 0;
      lane.countedFrom = now;
    }
    lane.turnedAway++;
    const factor = lane.turnedAway / (2 * this.#inFlightPerLane);
    return Math.min(Math.max(factor, 1), maxFactor);
  }

  /** Gives a place back; answers who has it now: the first who waited for it. */
  leave(endpoint: string): Waiter | undefined {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) return undefined;
    const [next] = lane.waiting ?? [];
    if (next !== undefined) lane.waiting?.delete(next);
    else {
      lane.running--;
      if (lane.running === 0) this.#lanes.delete(endpoint);
    }
    return next;
  }
}
