/** UCS-2 text (in truth UTF-16, big endian) to octets and back. */

/** Halves of surrogate pairs that stand alone become U+FFFD. */
export function encodeUcs2(text: string): Uint8Array<ArrayBuffer> {
  const wellFormed = text.toWellFormed();
  const octets = new Uint8Array(2 * wellFormed.length);
  for (let i = 0; i < wellFormed.length; i++) {
    const unit = wellFormed.charCodeAt(i);
    octets[2 * i] = unit >> 8;
    octets[2 * i + 1] = unit & 0xff;
  }
  return octets;
}

/** An odd octet at the end is ignored. */
export function decodeUcs2(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i + 1 < octets.length; i += 2) {
    text += String.fromCharCode(((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0));
  }
  return text.toWellFormed();
}
