/**
 * When carriers are asked what became of a text. The waits go by how long ago
 * the carrier took it, so nothing has to be counted or kept: who was not asked
 * for a day, because nobody could, goes on as after a day.
 */

import { addMs, type EpochMs } from "../time.ts";

export interface PollSchedule {
  /**
   * Waits between questions, in milliseconds; the last one is repeated. The first
   * one begins with the acceptance.
   */
  readonly delaysMs: readonly number[];
  /** Up to this share of a wait is added, so that questions spread out. */
  readonly jitter: number;
  /** From the acceptance to the last question, in milliseconds. */
  readonly idleMs: number;
}

const minute = 60_000;
const hour = 60 * minute;

/** Often while most texts arrive, then each three hours, for three days. */
export const defaultPollSchedule: PollSchedule = {
  delaysMs: [
    minute / 2,
    minute,
    2 * minute,
    5 * minute,
    15 * minute,
    hour,
    3 * hour,
  ],
  jitter: 0.2,
  idleMs: 72 * hour,
};

/**
 * The next question about what a carrier took at `sentAt`; `undefined` when the
 * last one was asked. It is never later than the end of the idle time.
 *
 * @param random answers a number in [0, 1)
 * @param floorMs what must pass first in any case
 */
export function nextPollAt(
  schedule: PollSchedule,
  { sentAt, now }: { readonly sentAt: EpochMs; readonly now: EpochMs },
  random: () => number,
  floorMs = 0,
): EpochMs | undefined {
  const endAt = addMs(sentAt, schedule.idleMs);
  if (now >= endAt) return undefined;
  const waitMs =
    delayAt(schedule, now - sentAt) * (1 + schedule.jitter * random());
  return addMs(now, Math.min(Math.max(waitMs, floorMs), endAt - now));
}

/** The wait that is under way at this age, in milliseconds. */
function delayAt({ delaysMs }: PollSchedule, ageMs: number): number {
  let endsAtMs = 0;
  let delayMs = 0;
  for (delayMs of delaysMs) {
    endsAtMs += delayMs;
    if (ageMs < endsAtMs) break;
  }
  return delayMs;
}
