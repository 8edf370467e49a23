/** Octets in hexadecimal. */

/** Two small digits for each octet. */
export function toHex(octets: Uint8Array): string {
  return Array.from(octets, (it) => it.toString(16).padStart(2, "0")).join("");
}

/** Of a text of digits alone, an even number of them: what is odd is left out. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const pairs = hex.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}
