/**
 * States by pymess's names as filters: some are several of ours, some a part of
 * one. What the store cannot tell is told of the messages that it gives.
 */

import type {
  DeliveryState,
  StoredChannel,
  StoredMessage,
} from "@carillon/core";

export interface StateFilter {
  /** The one of ours that covers it; absent: there are several. */
  readonly state?: DeliveryState;
  /** Absent: `state` says it all. */
  readonly has?: (message: StoredMessage) => boolean;
}

/** All that texts and mails can have. */
export const pymessNames = [
  "WAITING",
  "UNKNOWN",
  "SENDING",
  "SENT",
  "ERROR_UPDATE",
  "DEBUG",
  "DELIVERED",
  "ERROR",
  "ERROR_RETRY",
] as const;

/** Those that are one of ours, or a part of it. */
const covering: Readonly<
  Record<StoredChannel, Readonly<Record<string, DeliveryState>>>
> = {
  sms: {
    UNKNOWN: "unknown",
    SENDING: "sent",
    SENT: "sent",
    DEBUG: "debug",
    DELIVERED: "delivered",
    ERROR_RETRY: "retrying",
  },
  email: { DEBUG: "debug", ERROR_RETRY: "retrying" },
};

/** `undefined` for a name that pymess does not have. */
export function findStateFilter(
  channel: StoredChannel,
  name: string,
): StateFilter | undefined {
  if (!pymessNames.some((it) => it === name)) return undefined;
  const state = covering[channel][name];
  return {
    ...(state !== undefined && { state }),
    has: ({ pymessState }) => pymessState.name === name,
  };
}
