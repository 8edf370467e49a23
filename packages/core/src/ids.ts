/**
 * Branded identifiers and their shapes. An id is 32 lower-case hexadecimal
 * characters everywhere (SMN's shape); message ids are UUIDv7 without dashes,
 * so that they sort by time and index inserts stay sequential.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ProjectId = Branded<"ProjectId">;
export type TopicId = Branded<"TopicId">;
export type SubscriptionId = Branded<"SubscriptionId">;
export type MessageId = Branded<"MessageId">;

/** `{message id}-{target}`; stable over retries, unique per recipient. */
export type DeliveryId = Branded<"DeliveryId">;

/** Makes a fresh id of 32 hexadecimal characters. */
export type NewId = () => string;

const hex32 = /^[0-9a-f]{32}$/;

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
  return { message: match[1] as MessageId, target: Number(match[2]) };
}

/**
 * Builds the source of time-ordered ids (UUIDv7, RFC 9562 §5.7, no dashes).
 *
 * @param now milliseconds since the epoch
 * @param randomBytes answers `n` random bytes
 */
export function createTimeOrderedIds(
  now: () => number,
  randomBytes: (n: number) => Uint8Array,
): NewId {
  // Random bytes are drawn in blocks: one call per id would cost more than
  // all the rest of it.
  let block: Uint8Array = new Uint8Array(0);
  let used = 0;
  return () => {
    if (used + 10 > block.length) {
      block = randomBytes(10 * 256);
      used = 0;
    }
    let text = now().toString(16).padStart(12, "0");
    for (let i = 0; i < 10; i++) {
      let byte = block[used + i] ?? 0;
      if (i === 0) byte = (byte & 0x0f) | 0x70;
      if (i === 2) byte = (byte & 0x3f) | 0x80;
      text += hexOfByte[byte];
    }
    used += 10;
    return text;
  };
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);
