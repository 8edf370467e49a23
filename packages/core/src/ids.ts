/**
 * Branded identifiers and their shapes. An id is 32 lower-case hexadecimal
 * characters everywhere (SMN's shape); message ids are UUIDv7 without dashes,
 * so that they sort by time and index inserts stay sequential.
 */

import type { EpochMs } from "./time.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Id of a project; projects own topics, templates and messages. */
export type ProjectId = Branded<"ProjectId">;

/** Id of a topic; its URN has the topic's name instead. */
export type TopicId = Branded<"TopicId">;

/** Id of a subscription: the last part of its URN. */
export type SubscriptionId = Branded<"SubscriptionId">;

/** Id of a mailbox: the user name of its subscriber's credentials. */
export type MailboxId = Branded<"MailboxId">;

/** Id of a publisher account: the user name of its credentials. */
export type PublisherId = Branded<"PublisherId">;

/**
 * Id of a message: a UUIDv7 without dashes (RFC 9562 §5.7), so that ids sort by
 * time.
 */
export type MessageId = Branded<"MessageId">;

/** `{message id}-{target}`; stable over retries, unique per recipient. */
export type DeliveryId = Branded<"DeliveryId">;

/** Makes a fresh id of 32 hexadecimal characters, of one kind. */
export type NewId<Id extends string = string> = () => Id;

/** Makes fresh ids of whatever kind is asked for: all have one shape. */
export type IdSource = <Id extends string>() => Id;

const hex32 = /^[0-9a-f]{32}$/;

/**
 * Whether a text has the shape of an id: 32 lower-case hexadecimal characters.
 */
export function isHexId(text: string): boolean {
  return hex32.test(text);
}

/** Builds the public id of a delivery from its message and target number. */
export function toDeliveryId(message: MessageId, target: number): DeliveryId {
  return `${message}-${target}` as DeliveryId;
}

/** Splits a delivery id; `undefined` when it is not one. */
export function parseDeliveryId(
  text: string,
): { message: MessageId; target: number } | undefined {
  const match = /^([0-9a-f]{32})-(\d{1,15})$/.exec(text);
  if (!match) return undefined;
  // The pattern is what the brand promises.
  return { message: match[1] as MessageId, target: Number(match[2]) };
}

/**
 * Builds the source of time-ordered ids (UUIDv7, RFC 9562 §5.7, no dashes).
 *
 * @param randomHex answers `n` random bytes as 2 `n` hexadecimal characters
 */
export function createTimeOrderedIds(
  now: () => EpochMs,
  randomHex: (n: number) => string,
): IdSource {
  // Random digits are drawn in blocks, and the digits of an instant are kept
  // for as long as it lasts: ids are made for each request.
  let digits = "";
  let used = 0;
  let instant = -1;
  let prefix = "";
  return <Id extends string>() => {
    if (used === digits.length) {
      digits = randomHex(idsPerBlock * (randomDigits / 2));
      used = 0;
    }
    const at = now();
    if (at !== instant) {
      instant = at;
      prefix = `${at.toString(16).padStart(12, "0")}7`;
    }
    const random = digits.slice(used, used + randomDigits);
    used += randomDigits;
    const variant = variants[Number.parseInt(random[3] ?? "0", 16) & 3];
    // The one place where an id gets its kind.
    return (prefix + random.slice(0, 3) + variant + random.slice(4, 19)) as Id;
  };
}

/** Random digits of an id, one of them half used; rounded up to whole bytes. */
const randomDigits = 20;
const idsPerBlock = 256;
/** The two fixed bits before two random ones (RFC 9562 §4.1). */
const variants = ["8", "9", "a", "b"];
