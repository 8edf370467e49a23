/**
 * How long a message lives whose publisher does not say: by protocol, and by
 * how long the retry profile goes on. A given time to live always holds.
 */

import { type Protocol, protocols } from "../subscriptions/protocol.ts";
import { addMs, type EpochMs, toEpochMs } from "../time.ts";
import type { Message } from "./message.ts";

/** Protocol → seconds from the acceptance of a message to its end. */
export type MessageLives = Readonly<Record<Protocol, number>>;

const hour = 3600;

/**
 * Where retrying costs nothing a message outlives the default schedule, which
 * takes up to 54 hours; a text of this morning is of no use tonight.
 */
export const defaultMessageLives: MessageLives = {
  http: 72 * hour,
  https: 72 * hour,
  email: 72 * hour,
  sms: 4 * hour,
};

/** SMN's: one hour for all. */
export const smnMessageLives: MessageLives = {
  http: hour,
  https: hour,
  email: hour,
  sms: hour,
};

/** What decides when a message's deliveries end. */
type MessageLife = Pick<
  Message,
  "createdAt" | "expiresAt" | "timeToLiveSeconds"
>;

/**
 * From this instant on no attempt is made to an endpoint of the protocol. Never
 * behind the message's own `expiresAt`, whatever `lives` says by now.
 */
export function expiresAtOf(
  message: MessageLife,
  protocol: Protocol,
  lives: MessageLives,
): EpochMs {
  const { createdAt, expiresAt, timeToLiveSeconds } = message;
  if (timeToLiveSeconds !== undefined) return expiresAt;
  const end = addMs(createdAt, lives[protocol] * 1000);
  return toEpochMs(Math.min(end, expiresAt));
}

/**
 * The end of a message's last delivery: after the given time to live, else
 * after the longest life of the protocols it may go to.
 */
export function lastExpiryOf(
  createdAt: EpochMs,
  timeToLiveSeconds: number | undefined,
  lives: MessageLives,
  audience: readonly Protocol[] = protocols,
): EpochMs {
  const seconds =
    timeToLiveSeconds ??
    Math.max(...audience.map((protocol) => lives[protocol]));
  return addMs(createdAt, seconds * 1000);
}
