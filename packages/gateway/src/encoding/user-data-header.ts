/**
 * The user data header that ties the parts of a long message together (3GPP
 * TS 23.040 §9.2.3.24.1 and .8), and binary payloads that need nothing else.
 */

import { RequestError } from "../errors.ts";
import { partLimit, type ReferenceBits, singleLimit } from "./encoding.ts";

/** Which part of which long message a segment is. */
export interface Concatenation {
  /** The same in all parts of one message. */
  readonly reference: number;
  /** 1 to 255. */
  readonly total: number;
  /** From 1. */
  readonly part: number;
  readonly referenceBits: ReferenceBits;
}

/** The header of one part, its own length octet included. */
export function encodeConcatenation(
  concatenation: Concatenation,
): Uint8Array<ArrayBuffer> {
  const { reference, total, part, referenceBits } = concatenation;
  if (
    !(total >= 1 && total <= 255 && part >= 1 && part <= total) ||
    !(reference >= 0 && reference < 2 ** referenceBits)
  ) {
    throw new RequestError(
      `Part ${part} of ${total} with reference ${reference} cannot be ` +
        `written in ${referenceBits} bits`,
      { code: "BAD_CONCATENATION" },
    );
  }
  return referenceBits === 8
    ? Uint8Array.of(5, 0x00, 3, reference, total, part)
    : Uint8Array.of(6, 0x08, 4, reference >> 8, reference & 0xff, total, part);
}

/**
 * Finds the concatenation element in a header; undefined for a header without
 * one, or one that is cut short or contradicts itself.
 */
export function parseConcatenation(
  header: Uint8Array,
): Concatenation | undefined {
  const end = Math.min(header.length, 1 + (header[0] ?? 0));
  let offset = 1;
  while (offset + 2 <= end) {
    const id = header[offset] ?? 0;
    const length = header[offset + 1] ?? 0;
    const value = header.subarray(offset + 2, offset + 2 + length);
    offset += 2 + length;
    if (offset > end) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = value;
    const found: Concatenation | undefined =
      id === 0x00 && length === 3
        ? { reference: a, total: b, part: c, referenceBits: 8 }
        : id === 0x08 && length === 4
          ? { reference: a * 256 + b, total: c, part: d, referenceBits: 16 }
          : undefined;
    if (found) {
      return found.part >= 1 && found.part <= found.total ? found : undefined;
    }
  }
  return undefined;
}

/** Cuts a binary payload into the segments it is sent in. */
export function splitBinary(
  octets: Uint8Array,
  referenceBits: ReferenceBits = 8,
): Uint8Array[] {
  if (octets.length <= singleLimit("binary")) return [octets];
  const limit = partLimit("binary", referenceBits);
  const parts: Uint8Array[] = [];
  for (let start = 0; start < octets.length; start += limit) {
    parts.push(octets.subarray(start, start + limit));
  }
  return parts;
}
