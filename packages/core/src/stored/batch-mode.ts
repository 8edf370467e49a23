/** How batch mode of a channel is set, and what it makes of a send. */

import type { BatchRetries } from "../engine/message-retries.ts";
import type { WaitReason } from "../messages/delivery.ts";
import type { SendErrorName } from "../messages/send-error.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { SendChoice, SendTerms } from "./send-terms.ts";
import { type StoredChannel, storedChannels } from "./stored-message.ts";

/** Which rules hold where pymess has its own. */
export const storedProfiles = ["default", "pymess"] as const;

export type StoredProfile = (typeof storedProfiles)[number];

/** As it is configured. */
export interface BatchMode {
  readonly enabled: boolean;
  /** Messages of a run. */
  readonly size: number;
  /** Between two runs that the server makes by itself; 0: it makes none. */
  readonly intervalSeconds: number;
  /** Attempts behind the first one. */
  readonly maxRetries: number;
  /** After that no attempt is made; where no time to live was given. */
  readonly maxAgeSeconds: number;
  /** False: a message is attempted once. */
  readonly retry: boolean;
  readonly retriedErrors: readonly SendErrorName[];
}

const reasons = {
  sms: "sms_batch",
  email: "email_batch",
} as const satisfies Record<StoredChannel, WaitReason>;

/**
 * What messages of a channel wait for until the batch sender comes to them.
 *
 * @throws RangeError when it is no channel of stored messages
 */
export function batchReasonOf(channel: Protocol): WaitReason {
  const found = storedChannels.find((name) => name === channel);
  if (found !== undefined) return reasons[found];
  throw new RangeError(`There are no stored messages by ${channel}.`);
}

/**
 * What becomes of a send. One that is to go out later than now goes at its time,
 * not with a batch: the sender would bring it forward.
 *
 * @param otpLifeSeconds how long one of class `otp` lives without batch mode: a
 * code is of no use behind that, however long a batch may wait
 */
export function batchTermsOf(
  { enabled, maxAgeSeconds }: BatchMode,
  profile: StoredProfile,
  send: SendChoice,
  otpLifeSeconds = Number.POSITIVE_INFINITY,
): SendTerms {
  if (!enabled) {
    // Without batch mode pymess attempts nothing twice.
    return {
      isBatched: false,
      ...(profile === "pymess" && { message: { retries: "none" } }),
    };
  }
  return {
    isBatched: !send.sendImmediately && send.notBefore === undefined,
    timeToLiveSeconds:
      send.class === "otp"
        ? Math.min(maxAgeSeconds, otpLifeSeconds)
        : maxAgeSeconds,
    message: { retries: "batch" },
  };
}

/** How messages of batch mode are attempted again, as it is set now. */
export function batchRetriesOf(
  channel: StoredChannel,
  { enabled, retry, maxRetries, retriedErrors }: BatchMode,
  profile: StoredProfile,
): BatchRetries {
  if (profile === "pymess") {
    if (!retry || !enabled) return { maxRetries: 0 };
    return { maxRetries, nextRun: batchReasonOf(channel) };
  }
  return { maxRetries: retry ? maxRetries : 0, retriedErrors };
}
