/** A subscription: one endpoint that receives what a topic publishes. */

import { CarillonError } from "../errors.ts";
import type { ProjectId, SubscriptionId } from "../ids.ts";
import type { Recipient } from "../ports/channel.ts";
import { checkStorable, utf8Length } from "../text.ts";
import type { EpochMs } from "../time.ts";
import type { FilterPolicy } from "./filter-policy.ts";
import type { Protocol } from "./protocol.ts";
import type { SubscriptionSignature } from "./signature.ts";

/** SMN's numbers: they are on the wire and in the store. */
export const subscriptionStatus = {
  unconfirmed: 0,
  confirmed: 1,
  confirmationNotNeeded: 2,
  cancelled: 3,
  deleted: 4,
} as const;

/** Whether a subscription gets messages; SMN's own numbers. */
export type SubscriptionStatus =
  (typeof subscriptionStatus)[keyof typeof subscriptionStatus];

/** An endpoint that is subscribed to a topic. */
export interface Subscription {
  /** The store's own number; grows with creation; the key of fan-out. */
  readonly seq: number;
  readonly id: SubscriptionId;
  readonly topicSeq: number;
  readonly topicName: string;
  readonly projectId: ProjectId;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly remark: string;
  readonly status: SubscriptionStatus;
  readonly extension: SubscriptionExtension;
  /** Absent when it gets every message. */
  readonly filterPolicies?: readonly FilterPolicy[];
  /** Absent when it was always signed as SMN does. */
  readonly signature?: SubscriptionSignature;
  /** How often its subscriber left; links sent before mean nothing then. */
  readonly generation: number;
  /** When the code that was sent last is good no more; absent without one. */
  readonly codeExpiresAt?: EpochMs;
  readonly createdAt: EpochMs;
  /** Of a pull protocol: the number of the mailbox that it fills. */
  readonly mailbox?: number;
}

/** Settings that only some protocols have; kept as JSON. */
export interface SubscriptionExtension {
  /** Custom headers of http and https notifications. */
  readonly header?: Readonly<Record<string, string>>;
  /** A text message asks to confirm with a code in place of a link. */
  readonly verificationCodeEnabled?: true;
  /** Of protocols that others bring. */
  readonly [field: string]: unknown;
}

/** An extension as a subscriber hands it over; unchecked. */
export interface ExtensionRequest {
  readonly header?: unknown;
  readonly verificationCodeEnabled?: unknown;
  readonly [field: string]: unknown;
}

/** How long a confirmation link is good, in milliseconds (48 h). */
export const confirmationLifetimeMs = 48 * 3_600_000;

/** Default quota of subscriptions per topic (SMN limits). */
export const defaultSubscriptionsPerTopic = 10_000;

/** @throws CarillonError REMARK_INVALID */
export function checkRemark(remark: unknown): string {
  if (remark === undefined || remark === null) return "";
  if (typeof remark === "string" && utf8Length(remark) <= 128) {
    return checkStorable(remark, "REMARK_INVALID", "remark");
  }
  throw new CarillonError(
    "REMARK_INVALID",
    "Invalid remark: text of at most 128 bytes.",
  );
}

/**
 * The extension of a protocol that has none.
 *
 * @throws CarillonError SUBSCRIPTION_INVALID when there are headers, or a flag
 * is none
 */
export function refuseExtension(
  extension: ExtensionRequest,
): SubscriptionExtension {
  isCodeEnabled(extension);
  const { header } = extension;
  if (header === undefined || header === null) return {};
  throw new CarillonError(
    "SUBSCRIPTION_INVALID",
    "Invalid extension.header: only http and https subscriptions have headers.",
  );
}

/**
 * Whether a code in place of a link is asked for; it is looked at for every
 * protocol.
 *
 * @throws CarillonError SUBSCRIPTION_INVALID when the flag is none
 */
export function isCodeEnabled({
  verificationCodeEnabled: hasCode,
}: ExtensionRequest): boolean {
  if (hasCode === undefined || hasCode === null) return false;
  if (typeof hasCode === "boolean") return hasCode;
  throw new CarillonError(
    "SUBSCRIPTION_INVALID",
    "Invalid extension: whether a verification code is enabled is true or false.",
  );
}

/** Whom the messages of a subscription go to. */
export function toRecipient(
  subscription: Omit<Subscription, "filterPolicies">,
): Recipient {
  const { seq, id, protocol, endpoint } = subscription;
  const { extension, generation, signature, mailbox } = subscription;
  return {
    target: seq,
    protocol,
    endpoint,
    subscriptionId: id,
    generation,
    ...(Object.keys(extension).length > 0 && { extension }),
    ...(mailbox !== undefined && { mailbox }),
    ...(signature && { signature }),
  };
}
