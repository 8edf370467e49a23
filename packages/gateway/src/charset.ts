/** Text in the charset that its sender says it is in. */

/** UTF-8 when nothing or an unknown charset is named; never throws. */
export function decodeText(octets: Uint8Array, charset = "utf-8"): string {
  const label = isKnownCharset(charset) ? charset : "utf-8";
  return new TextDecoder(label).decode(octets);
}

/** The charset of a `Content-Type`; `undefined` when it names none. */
export function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? "")?.[1];
}

/** Whether text in a charset of this name can be read. */
export function isKnownCharset(charset: string): boolean {
  try {
    new TextDecoder(charset);
    return true;
  } catch {
    return false;
  }
}
