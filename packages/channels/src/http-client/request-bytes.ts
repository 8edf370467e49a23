/** Writes HTTP/1.1 requests (RFC 9112 §3), in one piece with their body. */

import type { RequestTarget } from "../request-target.ts";

/** Names and values. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** A header that cannot be sent as it is. */
export class InvalidHeaderError extends Error {
  override readonly name = "InvalidHeaderError";
}

/**
 * The beginning of a request, up to where more headers, or the empty line that
 * ends them, may follow.
 */
export function requestHead(
  method: string,
  authority: string,
  { path, authorization }: RequestTarget,
  bodyLength: number | undefined,
): string {
  const length =
    bodyLength === undefined ? "" : `content-length: ${bodyLength}\r\n`;
  const credentials =
    authorization === undefined ? "" : `authorization: ${authorization}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\nconnection: keep-alive\r\n${length}${credentials}`;
}

/**
 * Header lines; Latin-1 when written.
 *
 * @throws InvalidHeaderError for what would not be one line, or not Latin-1, and
 * for what {@link requestHead} says
 */
export function headerLines(headers: RequestHeaders): string {
  let lines = "";
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (
      !isToken.test(name) ||
      !isFieldValue.test(value) ||
      framing.has(name.toLowerCase())
    ) {
      throw new InvalidHeaderError(`the header ${name} is not valid`);
    }
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

const framing: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "transfer-encoding",
]);

/** RFC 9110 §5.6.2. */
const isToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110 §5.5. */
const isFieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
