/**
 * How many confirmation messages an endpoint may be sent for one project, so
 * that nobody can be flooded by being subscribed again and again.
 */

import type { Protocol } from "./protocol.ts";

/**
 * A window opens with the first message and lasts `windowMs`. With its last
 * allowed message a pause begins in which none is sent: it lasts `pauseMs`, and
 * at least until the window's end.
 */
export interface ConfirmationLimit {
  readonly max: number;
  readonly windowMs: number;
  /** 0: the pause ends with the window. */
  readonly pauseMs: number;
}

/** All of a protocol's limits hold; protocols without any are not limited. */
export type ConfirmationLimits = Readonly<
  Partial<Record<Protocol, readonly ConfirmationLimit[]>>
>;

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const toWebhooks: readonly ConfirmationLimit[] = [
  { max: 200, windowMs: 10 * minute, pauseMs: 0 },
];

/** SMN's own figures. */
export const defaultConfirmationLimits: ConfirmationLimits = {
  http: toWebhooks,
  https: toWebhooks,
  email: [
    { max: 20, windowMs: hour, pauseMs: hour },
    { max: 40, windowMs: 2 * day, pauseMs: 7 * day },
  ],
  sms: [
    { max: 10, windowMs: hour, pauseMs: hour },
    { max: 20, windowMs: 2 * day, pauseMs: 7 * day },
  ],
};
