/** How many attempts are under way, or wait, in each channel that has a bound. */

import type { Channel } from "../ports/channel.ts";

interface Room {
  inFlight: number;
  /** How many were turned away since `countedFrom`. */
  turnedAway: number;
  countedFrom: number;
}

/** Turned away is counted in spans of this length, in monotonic milliseconds. */
const countingMs = 1000;

/** Beyond it a backlog comes back before there is room, which costs little. */
const maxFactor = 60;

export class ChannelRooms {
  /** Those that had a bound once. */
  readonly #rooms = new Map<Channel, Room>();

  /** False: as many as the channel takes are under way. */
  tryEnter(channel: Channel): boolean {
    const max = channel.maxInFlight?.();
    const room = this.#rooms.get(channel);
    if (room !== undefined) {
      if (max !== undefined && room.inFlight >= max) return false;
      room.inFlight++;
      return true;
    }
    // Also while it has none at present: it may get one meanwhile.
    if (channel.maxInFlight === undefined) return true;
    this.#rooms.set(channel, { inFlight: 1, turnedAway: 0, countedFrom: 0 });
    return true;
  }

  /** Of an attempt that entered, and is over. */
  leave(channel: Channel): void {
    const room = this.#rooms.get(channel);
    if (room !== undefined) room.inFlight--;
  }

  /**
   * How many times longer than usual to stay away: in proportion to how many came
   * in vain, so that a long backlog costs no more looks than it has to.
   *
   * @param now monotonic milliseconds
   */
  turnAway(channel: Channel, now: number): number {
    const room = this.#rooms.get(channel);
    if (room === undefined) return 1;
    if (now - room.countedFrom > countingMs) {
      room.turnedAway = 0;
      room.countedFrom = now;
    }
    room.turnedAway++;
    const max = channel.maxInFlight?.() ?? room.turnedAway;
    return Math.min(Math.max(room.turnedAway / (2 * max), 1), maxFactor);
  }
}
