/**
 * How long a message lives whose publisher does not say: by protocol, and by
 * how long the retry profile goes on. A given time to live always holds.
 */

import type { Protocol, Protocols } from "../subscriptions/protocol.ts";
import { addMs, type EpochMs, toEpochMs } from "../time.ts";
import type { Message } from "./message.ts";

/**
 * Protocol → seconds from the acceptance of a message to its end. A protocol
 * that is not there lives as long as the message.
 */
export type MessageLives = Readonly<Record<Protocol, number>>;

/** What the protocols' definitions say. */
export function defaultLivesOf({ all }: Pick<Protocols, "all">): MessageLives {
  return Object.fromEntries(
    all.map(({ name, defaultLifeSeconds }) => [name, defaultLifeSeconds]),
  );
}

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
  const seconds = lives[protocol];
  if (seconds === undefined) return expiresAt;
  const end = addMs(createdAt, seconds * 1000);
  return toEpochMs(Math.min(end, expiresAt));
}

/**
 * The end of a message's last delivery: after the given time to live, else
 * after the longest life.
 *
 * @param lives of the protocols it may go to
 */
export function lastExpiryOf(
  createdAt: EpochMs,
  timeToLiveSeconds: number | undefined,
  lives: MessageLives,
): EpochMs {
  const seconds = timeToLiveSeconds ?? Math.max(0, ...Object.values(lives));
  return addMs(createdAt, seconds * 1000);
}
