/**
 * How long a message lives whose publisher does not say: by protocol, and by
 * how long the retry profile goes on. A given time to live always holds.
 */

import type { Protocol, Protocols } from "../subscriptions/protocol.ts";
import { addMs, type EpochMs, toEpochMs } from "../time.ts";
import type { Message } from "./message.ts";

/**
 * Protocol → seconds from the start of a message's life to its end; under
 * {@link otpOf} those of messages of class `otp`, where they are others. A
 * protocol that is not there lives as long as the message.
 */
export type MessageLives = Readonly<Record<string, number>>;

/** Where the life of messages of class `otp` stands. */
export function otpOf(protocol: Protocol): string {
  // No protocol has a blank in its name.
  return `${protocol} otp`;
}

/** What the protocols' definitions say. */
export function defaultLivesOf({ all }: Pick<Protocols, "all">): MessageLives {
  const lives: Record<string, number> = {};
  for (const { name, defaultLifeSeconds, otpLifeSeconds } of all) {
    lives[name] = defaultLifeSeconds;
    if (otpLifeSeconds !== undefined) lives[otpOf(name)] = otpLifeSeconds;
  }
  return lives;
}

/** What decides when a message's deliveries end. */
type MessageLife = Pick<
  Message,
  "createdAt" | "notBefore" | "class" | "timeToLiveSeconds"
>;

/**
 * From this instant on no attempt is made to an endpoint of the protocol. Never
 * behind the message's own `expiresAt`, whatever `lives` says by now.
 */
export function expiresAtOf(
  message: MessageLife & Pick<Message, "expiresAt">,
  protocol: Protocol,
  lives: MessageLives,
): EpochMs {
  const { expiresAt } = message;
  if (typeof message.timeToLiveSeconds === "number") return expiresAt;
  const seconds = lifeOf(message, protocol, lives);
  if (seconds === undefined) return expiresAt;
  const end = addMs(startOf(message), seconds * 1000);
  return toEpochMs(Math.min(end, expiresAt));
}

/**
 * The end of a message's last delivery: after the longest life of the protocols
 * it may go to.
 */
export function lastExpiryOf(
  message: MessageLife,
  lives: MessageLives,
  audience: Iterable<Protocol> = Object.keys(lives),
): EpochMs {
  let longest = 0;
  for (const protocol of audience) {
    longest = Math.max(longest, lifeOf(message, protocol, lives) ?? 0);
  }
  return addMs(startOf(message), longest * 1000);
}

/** When a message's life begins, and the first attempt may be made. */
export function startOf({
  createdAt,
  notBefore = createdAt,
}: Pick<Message, "createdAt" | "notBefore">): EpochMs {
  return notBefore;
}

/** In seconds: what was given, else the default. */
function lifeOf(
  { timeToLiveSeconds: given, class: kind }: MessageLife,
  protocol: Protocol,
  lives: MessageLives,
): number | undefined {
  if (typeof given === "number") return given;
  const ofOtp = kind === "otp" ? lives[otpOf(protocol)] : undefined;
  return given?.[protocol] ?? ofOtp ?? lives[protocol];
}
