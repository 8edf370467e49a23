/** A subscription: one endpoint that receives what a topic publishes. */

import { CarillonError } from "../errors.ts";
import type { ProjectId, SubscriptionId } from "../ids.ts";
import { checkStorable, utf8Length } from "../text.ts";
import type { EpochMs } from "../time.ts";
import type { FilterPolicy } from "./filter-policy.ts";
import type { Protocol } from "./protocol.ts";

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
  /** How often its subscriber left; links sent before mean nothing then. */
  readonly generation: number;
  /** When the code that was sent last is good no more; absent without one. */
  readonly codeExpiresAt?: EpochMs;
  readonly createdAt: EpochMs;
}

/** Settings that only some protocols have. */
export interface SubscriptionExtension {
  /** Custom headers of http and https notifications. */
  readonly header?: Readonly<Record<string, string>>;
  /** A text message asks to confirm with a code in place of a link. */
  readonly verificationCodeEnabled?: true;
}

/** An extension as a subscriber hands it over; unchecked. */
export interface ExtensionRequest {
  readonly header?: unknown;
  readonly verificationCodeEnabled?: unknown;
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
 * Checks what a subscription asks for besides its endpoint; what its protocol
 * does not know is ignored, as SMN does.
 *
 * @throws CarillonError SUBSCRIPTION_INVALID
 */
export function checkExtension(
  protocol: Protocol,
  extension: ExtensionRequest = {},
): SubscriptionExtension {
  const { header, verificationCodeEnabled: hasCode } = extension;
  if (hasCode !== undefined && hasCode !== null) {
    if (typeof hasCode !== "boolean") {
      throw new CarillonError(
        "SUBSCRIPTION_INVALID",
        "Invalid extension: whether a verification code is enabled is true or false.",
      );
    }
    if (hasCode && protocol === "sms") return { verificationCodeEnabled: true };
  }
  if (header === undefined || header === null) return {};
  if (protocol !== "http" && protocol !== "https") {
    throw invalidHeader("only http and https subscriptions have headers");
  }
  return { header: checkHeader(header) };
}

const headerName = /^x-(?!smn)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/i;

function checkHeader(header: unknown): Record<string, string> {
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw invalidHeader("an object of names and values is expected");
  }
  const entries = Object.entries(header);
  if (entries.length > 10) throw invalidHeader("at most 10 headers");
  const checked: Record<string, string> = {};
  let length = 0;
  for (const [name, value] of entries) {
    if (!headerName.test(name)) {
      throw invalidHeader(
        `names start with x-, not x-smn, in letters, digits and dashes; ${quote(name)} does not`,
      );
    }
    if (typeof value !== "string") {
      throw invalidHeader(`the value of ${name} is not text`);
    }
    // The character alone: values are often secrets.
    const wrong = /[^\x20-\x7e]/u.exec(value);
    if (wrong !== null) {
      throw invalidHeader(
        `values are printable ASCII text; that of ${name} has the character ${codePointOf(wrong[0])} at position ${wrong.index + 1}`,
      );
    }
    const lower = name.toLowerCase();
    if (Object.hasOwn(checked, lower)) {
      throw invalidHeader(`names are unique; ${quote(name)} is there twice`);
    }
    checked[lower] = value;
    length += name.length + value.length;
  }
  if (length > 1024) throw invalidHeader("at most 1024 characters in all");
  return checked;
}

/** A name that may be anything, as one short line. */
function quote(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 63)}…` : name);
}

function codePointOf(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `U+${hex.padStart(4, "0")}`;
}

function invalidHeader(rule: string): CarillonError {
  return new CarillonError(
    "SUBSCRIPTION_INVALID",
    `Invalid extension.header: ${rule}.`,
  );
}
