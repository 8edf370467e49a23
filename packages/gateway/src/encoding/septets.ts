/**
 * Packs septets into octets, low bits first (3GPP TS 23.038 §6.1.2.1). The
 * count of septets must travel along: seven zero bits at the end look the same
 * as one more `@`.
 */

/**
 * `fillBits` zero bits go first, so that text behind a header begins at a
 * septet boundary; `fillBitsAfter` computes how many.
 */
export function packSeptets(
  septets: Uint8Array,
  fillBits = 0,
): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(Math.ceil((septets.length * 7 + fillBits) / 8));
  let bit = fillBits;
  for (const septet of septets) {
    const index = bit >> 3;
    const shifted = (septet & 0x7f) << (bit & 7);
    packed[index] = (packed[index] ?? 0) | (shifted & 0xff);
    if (shifted > 0xff) packed[index + 1] = shifted >> 8;
    bit += 7;
  }
  return packed;
}

/** Reads `count` septets, or as many whole ones as there are. */
export function unpackSeptets(
  packed: Uint8Array,
  fillBits = 0,
  count: number = Math.floor((packed.length * 8 - fillBits) / 7),
): Uint8Array<ArrayBuffer> {
  const septets = new Uint8Array(Math.max(0, count));
  let bit = fillBits;
  for (let i = 0; i < septets.length; i++) {
    const index = bit >> 3;
    const pair = (packed[index] ?? 0) | ((packed[index + 1] ?? 0) << 8);
    septets[i] = (pair >> (bit & 7)) & 0x7f;
    bit += 7;
  }
  return septets;
}

/** Fill bits between a header of so many octets and the text behind it. */
export function fillBitsAfter(headerOctets: number): number {
  return (7 - ((headerOctets * 8) % 7)) % 7;
}
