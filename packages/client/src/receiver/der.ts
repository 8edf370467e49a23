/**
 * Reads DER (ITU-T X.690), as much of it as certificates need: elements with
 * tags of one byte and definite lengths.
 */

import { InvalidCertificateError } from "../errors.ts";

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array<ArrayBuffer>;
  /** With tag and length. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The elements that stand in a row in the bytes. */
export function readDer(bytes: Uint8Array<ArrayBuffer>): DerElement[] {
  const elements: DerElement[] = [];
  for (let start = 0; start < bytes.length; ) {
    const element = readElement(bytes, start);
    elements.push(element);
    start += element.bytes.length;
  }
  return elements;
}

function readElement(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
): DerElement {
  const [tag = 0, first] = bytes.subarray(start, start + 2);
  const isLong = first !== undefined && first >= 0x80;
  const lengthSize = isLong ? first & 0x7f : 0;
  const contentStart = start + 2 + lengthSize;
  // Longer lengths than 4 bytes, and the indefinite one, are not for here.
  if (
    first === undefined ||
    (tag & 0x1f) === 0x1f ||
    first === 0x80 ||
    lengthSize > 4
  ) {
    throw new InvalidCertificateError("The certificate is not readable DER.");
  }
  const length = isLong
    ? bytes
        .subarray(start + 2, contentStart)
        .reduce((sum, byte) => sum * 256 + byte, 0)
    : first;
  const end = contentStart + length;
  if (end > bytes.length) {
    throw new InvalidCertificateError("The certificate is cut off.");
  }
  return {
    tag,
    content: bytes.subarray(contentStart, end),
    bytes: bytes.subarray(start, end),
  };
}
