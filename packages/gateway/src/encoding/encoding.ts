/** The encodings of short-message text and how much fits into one segment. */

/** `gsm7` counts septets, `ucs2` UTF-16 code units, `binary` octets. */
export type Encoding = "gsm7" | "ucs2" | "binary";

/**
 * Width of the reference that ties the parts of a long message together; the
 * wider one costs one octet of every part.
 */
export type ReferenceBits = 8 | 16;

interface Limit {
  readonly single: number;
  readonly part: Readonly<Record<ReferenceBits, number>>;
}

const LIMITS: Readonly<Record<Encoding, Limit>> = {
  gsm7: { single: 160, part: { 8: 153, 16: 152 } },
  ucs2: { single: 70, part: { 8: 67, 16: 66 } },
  binary: { single: 140, part: { 8: 134, 16: 133 } },
};

/** Units that fit into a message of one segment. */
export function singleLimit(encoding: Encoding): number {
  return LIMITS[encoding].single;
}

/** Units that fit into each part of a longer message. */
export function partLimit(encoding: Encoding, bits: ReferenceBits = 8): number {
  return LIMITS[encoding].part[bits];
}
