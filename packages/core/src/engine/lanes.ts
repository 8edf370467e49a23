/**
 * One lane per endpoint, per credential that many endpoints share, or per provider
 * of what costs money: how many attempts may be under way in it at once. A broken
 * endpoint fills its own lane only, and so does a slow carrier. Only lanes in use
 * take memory.
 */

import { type Urgency, urgencies } from "../messages/urgency.ts";
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

/** A place in a lane, as an attempt asks for it. */
export interface LanePlace {
  readonly lane: string;
  /**
   * Attempts under way in the lane beyond which this one waits; the same for all of
   * one urgency. More for what is urgent: these places are kept for it.
   */
  readonly max: number;
  /** The most urgent of those who wait is next. */
  readonly urgency: Urgency;
}

/** Those of one urgency that found the lane full. */
interface LaneQueue<Waiter> {
  readonly max: number;
  /** Who waits for a place, oldest first. */
  readonly waiting: Set<Waiter>;
  /** How many were turned away since `countedFrom`. */
  turnedAway: number;
  countedFrom: number;
}

interface Lane<Waiter> {
  running: number;
  /** Of those running, the slow ones. */
  slow: number;
  /** By urgency; made for the first who finds it full. */
  queues: Partial<Record<Urgency, LaneQueue<Waiter>>> | undefined;
}

/** Turned away is counted in spans of this length, in milliseconds. */
const countingMs = 1000;
const maxFactor = 30;

export class Lanes<Waiter> {
  readonly #lanes = new Map<string, Lane<Waiter>>();

  /** Takes a place in the lane; false when it is full. */
  tryEnter({ lane: name, max }: LanePlace): boolean {
    const lane = this.#lanes.get(name);
    if (lane === undefined) {
      this.#lanes.set(name, { running: 1, slow: 0, queues: undefined });
      return true;
    }
    if (lane.running >= max) return false;
    lane.running++;
    return true;
  }

  /**
   * Waits for a place in a full lane. False when the lane is slow and as many
   * wait already as could go next: whoever comes then had better come later.
   */
  wait(place: LanePlace, waiter: Waiter): boolean {
    const lane = this.#lanes.get(place.lane);
    if (lane === undefined) throw new Error("Only a full lane is waited for.");
    const { waiting } = queueOf(lane, place);
    if (lane.slow > 0 && waiting.size >= place.max) return false;
    waiting.add(waiter);
    return true;
  }

  /** Waits no more. */
  withdraw({ lane, urgency }: LanePlace, waiter: Waiter): void {
    this.#lanes.get(lane)?.queues?.[urgency]?.waiting.delete(waiter);
  }

  /** An attempt of this lane is slow, or no longer. */
  countSlow(name: string, change: 1 | -1): void {
    const lane = this.#lanes.get(name);
    if (lane) lane.slow += change;
  }

  /** Whether an attempt of this lane is slow at the moment. */
  isSlow(name: string): boolean {
    return (this.#lanes.get(name)?.slow ?? 0) > 0;
  }

  /**
   * How many times longer than usual to stay away from a lane that is full: in
   * proportion to how many of the same urgency came in vain, so that a long queue
   * does not come back again and again before it has a chance.
   *
   * @param now monotonic milliseconds
   */
  turnAway(place: LanePlace, now: number): number {
    const lane = this.#lanes.get(place.lane);
    if (lane === undefined) return 1;
    const queue = queueOf(lane, place);
    if (now - queue.countedFrom > countingMs) {
      queue.turnedAway = 0;
      queue.countedFrom = now;
    }
    queue.turnedAway++;
    const factor = queue.turnedAway / (2 * place.max);
    return Math.min(Math.max(factor, 1), maxFactor);
  }

  /**
   * Gives a place back; answers who has it now: of the most urgent who may have it,
   * the first who waited.
   */
  leave(name: string): Waiter | undefined {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return undefined;
    const next = takeNext(lane);
    if (next !== undefined) return next;
    lane.running--;
    if (lane.running === 0) this.#lanes.delete(name);
    return undefined;
  }
}

function queueOf<Waiter>(
  lane: Lane<Waiter>,
  { urgency, max }: LanePlace,
): LaneQueue<Waiter> {
  lane.queues ??= {};
  lane.queues[urgency] ??= {
    max,
    waiting: new Set(),
    turnedAway: 0,
    countedFrom: 0,
  };
  return lane.queues[urgency];
}

function takeNext<Waiter>({
  queues,
  running,
}: Lane<Waiter>): Waiter | undefined {
  if (queues === undefined) return undefined;
  for (const urgency of urgencies) {
    const queue = queues[urgency];
    // The place that is given back counts still.
    if (queue === undefined || running > queue.max) continue;
    const [next] = queue.waiting;
    if (next === undefined) continue;
    queue.waiting.delete(next);
    return next;
  }
  return undefined;
}
