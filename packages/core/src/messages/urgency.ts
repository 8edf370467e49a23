/**
 * How soon a due delivery is claimed beside others, and which part of a claim
 * each urgency gets: thousands of one kind do not hold up the other kinds.
 */

import {
  defaultPriority,
  type Message,
  type MessageClass,
  type MessagePriority,
} from "./message.ts";

/** 1 is claimed first: what somebody waits for; 3: bulk. */
export type Urgency = MessagePriority;

/** All there are, the most urgent first. */
export const urgencies = [1, 2, 3] as const satisfies readonly Urgency[];

/** All but bulk. */
export const urgentOnly = [1, 2] as const satisfies readonly Urgency[];

/** Of a delivery whose message says nothing else. */
export const defaultUrgency: Urgency = 2;

/** Of confirmations: somebody waits for them. */
export const noticeUrgency: Urgency = 1;

/** Of reports to a publisher's status URL: as many as there are deliveries. */
export const reportUrgency: Urgency = 3;

/** A direct message to more than so many is bulk. */
export const maxFewRecipients = 100;

const byClass: Readonly<Record<MessageClass, Urgency>> = {
  otp: 1,
  transactional: 2,
  bulk: 3,
};

/** Tenths of a claim. */
const weights: Readonly<Record<Urgency, number>> = { 1: 5, 2: 3, 3: 2 };

export interface UrgencyOptions {
  /** Those that a direct message names. Default: few. */
  readonly recipients?: number;
  /** It waits for the batch sender, which goes by priority. Default: false. */
  readonly isBatched?: boolean;
}

/** Of the deliveries of a message: what it says itself comes first. */
export function urgencyOf(
  { priority, class: kind }: Pick<Message, "priority" | "class">,
  { recipients = 1, isBatched = false }: UrgencyOptions = {},
): Urgency {
  if (priority !== undefined) return priority;
  if (isBatched) return defaultPriority;
  if (kind !== undefined) return byClass[kind];
  return recipients > maxFewRecipients ? 3 : defaultUrgency;
}

/**
 * How many of a claim's `limit` each urgency gets while there are enough of all:
 * about five, three and two tenths, or in this proportion of those that are asked
 * for. Each gets one at least as far as the limit goes; all add up to it.
 */
export function dueShares(
  limit: number,
  of: readonly Urgency[] = urgencies,
): Readonly<Record<Urgency, number>> {
  const whole = of.reduce((sum, urgency) => sum + weights[urgency], 0);
  const shares = { 1: 0, 2: 0, 3: 0 };
  let left = limit;
  for (const urgency of of) {
    const share = Math.floor((limit * weights[urgency]) / whole);
    shares[urgency] = Math.min(left, Math.max(1, share));
    left -= shares[urgency];
  }
  // What rounding left.
  const [first] = of;
  if (first !== undefined) shares[first] += left;
  return shares;
}

/**
 * Takes `limit` at most: each urgency its share, then of the most urgent what
 * others left. Answers the most urgent first, those of one as they were taken.
 *
 * @param of the most urgent first
 * @param take takes the next ones, as many as it is told; fewer: that was all
 */
export function takeByUrgency<Item>(
  limit: number,
  of: readonly Urgency[],
  take: (urgency: Urgency, limit: number) => readonly Item[],
): Item[] {
  const shares = dueShares(limit, of);
  const taken = of.map((urgency) => [...take(urgency, shares[urgency])]);
  let left = taken.reduce((rest, items) => rest - items.length, limit);
  for (const [n, urgency] of of.entries()) {
    const items = taken[n] ?? [];
    if (left === 0 || items.length < shares[urgency]) continue;
    const more = take(urgency, left);
    items.push(...more);
    left -= more.length;
  }
  return taken.flat();
}
