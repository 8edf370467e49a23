/**
 * How long a message lives whose publisher does not say: by protocol, and by
 * how long the retry profile goes on. A given time to live always holds.
 */

import { type Protocol, protocols } from "../subscriptions/protocol.ts";
import { addMs, type EpochMs, toEpochMs } from "../time.ts";
import type { Message } from "./message.ts";

/** Protocol → seconds from the start of a message's life to its end. */
export interface MessageLives extends Readonly<Record<Protocol, number>> {
  /** Of texts of class `otp`: a code is of no use after minutes. */
  readonly smsOtp: number;
}

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
  smsOtp: 600,
};

/** SMN's: one hour for all; it has no classes. */
export const smnMessageLives: MessageLives = {
  http: hour,
  https: hour,
  email: hour,
  sms: hour,
  smsOtp: 600,
};

/** What decides when a message's deliveries end. */
type MessageLife = Pick<
  Message,
  "createdAt" | "notBefore" | "timeToLiveSeconds" | "class"
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
  const end = addMs(startOf(message), lifeOf(message, protocol, lives) * 1000);
  return toEpochMs(Math.min(end, expiresAt));
}

/**
 * The end of a message's last delivery: after the longest life of the protocols
 * it may go to.
 */
export function lastExpiryOf(
  message: MessageLife,
  lives: MessageLives,
  audience: Iterable<Protocol> = protocols,
): EpochMs {
  let longest = 0;
  for (const protocol of audience) {
    longest = Math.max(longest, lifeOf(message, protocol, lives));
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
): number {
  if (typeof given === "number") return given;
  const ofProtocol = given?.[protocol];
  if (ofProtocol !== undefined) return ofProtocol;
  return protocol === "sms" && kind === "otp" ? lives.smsOtp : lives[protocol];
}
