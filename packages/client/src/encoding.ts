/** Text and bytes in the forms that requests and signatures need. */

/** Percent-encodes all but RFC 3986's unreserved characters. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) =>
      `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

export function toHex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

export function encodeBase64(bytes: Uint8Array): string {
  const texts: string[] = [];
  // A call has room for some ten thousand arguments.
  for (let at = 0; at < bytes.length; at += base64Chunk) {
    const chunk = bytes.subarray(at, at + base64Chunk);
    texts.push(btoa(String.fromCharCode(...chunk)));
  }
  return texts.join("");
}

/** Bytes; of three each, so that chunks end without padding. */
const base64Chunk = 3 * 4096;

/** `undefined` when the text is not base64. White space is skipped. */
export function decodeBase64(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
