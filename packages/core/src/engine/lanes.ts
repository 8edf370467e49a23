/**
 * One lane per endpoint: how many attempts may be under way to it at once. A
 * broken endpoint fills its own lane and nobody else's. Only lanes in use take
 * memory.
 */

interface Lane {
  running: number;
  /** What waits for this lane; oldest first. */
  readonly queue: (() => boolean)[];
}

export class Lanes {
  readonly #inFlightPerLane: number;
  readonly #lanes = new Map<string, Lane>();

  constructor(inFlightPerLane: number) {
    this.#inFlightPerLane = inFlightPerLane;
  }

  /** Takes a place in the endpoint's lane; false when it is full. */
  tryEnter(endpoint: string): boolean {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) {
      this.#lanes.set(endpoint, { running: 1, queue: [] });
      return true;
    }
    if (lane.running >= this.#inFlightPerLane) return false;
    lane.running++;
    return true;
  }

  /**
   * Queues for a full lane. `start` is called once a place was taken for it; it
   * answers false when it no longer wants it.
   */
  queue(endpoint: string, start: () => boolean): void {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) {
      throw new Error("Only a full lane is queued for.");
    }
    lane.queue.push(start);
  }

  /** Gives a place back, to the first in the queue that still wants it. */
  leave(endpoint: string): void {
    const lane = this.#lanes.get(endpoint);
    if (lane === undefined) return;
    for (;;) {
      const start = lane.queue.shift();
      if (start === undefined) break;
      if (start()) return;
    }
    lane.running--;
    if (lane.running === 0) this.#lanes.delete(endpoint);
  }
}
