/** When a message begins and ends to be delivered, as a body says it. */

import {
  addMs,
  CarillonError,
  type EpochMs,
  maxLifeSeconds,
  messageOptionLimits,
} from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { failsWith } from "../validation.ts";
import { instant, parseInstant } from "./schema-parts.ts";

/** Members of the body, beside `notBefore` and `timeToLiveSeconds`. */
export const messageTimeProperties = {
  expiresAt: Type.Optional(
    instant(
      "In place of timeToLiveSeconds: no attempt is made from then on, and whoever has not fetched it by then does not get it",
    ),
  ),
  delayMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: messageOptionLimits.notBeforeMs,
      description:
        "In place of notBefore: milliseconds until it can be fetched, or is attempted",
      ...failsWith("MESSAGE_OPTION_INVALID"),
    }),
  ),
};

interface GivenTimes {
  readonly timeToLiveSeconds?: unknown;
  readonly expiresAt?: string | undefined;
  readonly delayMs?: number | undefined;
  readonly notBefore?: string | undefined;
}

/** @throws CarillonError TIME_TO_LIVE_INVALID, MESSAGE_OPTION_INVALID; RequestError REQUEST_INVALID */
export function timesOf(
  { timeToLiveSeconds, expiresAt, delayMs, notBefore: start }: GivenTimes,
  now: EpochMs,
): {
  readonly timeToLive: unknown;
  readonly notBefore: EpochMs | undefined;
} {
  if (delayMs !== undefined && start !== undefined) {
    throw new CarillonError(
      "MESSAGE_OPTION_INVALID",
      "Invalid delayMs: one of delayMs and notBefore is expected, both were given.",
    );
  }
  if (expiresAt !== undefined && timeToLiveSeconds !== undefined) {
    throw new CarillonError(
      "TIME_TO_LIVE_INVALID",
      "Invalid expiresAt: one of expiresAt and timeToLiveSeconds is expected, both were given.",
    );
  }
  const notBefore =
    start !== undefined
      ? parseInstant(start, "notBefore")
      : delayMs
        ? addMs(now, delayMs)
        : undefined;
  const timeToLive =
    expiresAt === undefined
      ? timeToLiveSeconds
      : lifeUntil(parseInstant(expiresAt, "expiresAt"), notBefore ?? now);
  return { timeToLive, notBefore };
}

/** In whole seconds, and not longer than was asked. @throws CarillonError TIME_TO_LIVE_INVALID */
function lifeUntil(end: EpochMs, start: EpochMs): number {
  const ms = end - start;
  if (ms > 0 && ms <= maxLifeSeconds * 1000) {
    return Math.max(Math.floor(ms / 1000), 1);
  }
  throw new CarillonError(
    "TIME_TO_LIVE_INVALID",
    `Invalid expiresAt: an instant at most ${maxLifeSeconds} seconds after the message can first be attempted or fetched is expected.`,
  );
}
