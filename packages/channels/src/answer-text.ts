/** The beginning of an answer's body as text for the ledger. */

import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateSync,
  type ZlibOptions,
} from "node:zlib";
import { redact } from "@carillon/gateway";
import { excerpt } from "./excerpt.ts";

/** What says how the bytes of a body become text; as the answer has it. */
export interface BodyHeaders {
  readonly "content-type"?: string | string[] | undefined;
  readonly "content-encoding"?: string | string[] | undefined;
}

/** Compressed, this much of a body is looked at; decompressed, a MiB. */
const maxBytes = 4096;
const maxOutputLength = 1_048_576;
/** Characters of its text, which may have blanks without end. */
const maxTextLength = 2048;

export interface ExcerptOptions {
  /** Taken out of the text wherever they stand in it. */
  readonly secrets?: Iterable<string>;
  readonly maxLength?: number;
}

/**
 * An excerpt of a body, by the encoding and charset that the answer names;
 * `[binary]` with its type when it is no text by these.
 *
 * @param body its beginning; it may end within a character
 */
export function excerptOfBody(
  body: Buffer,
  headers: BodyHeaders,
  { secrets = [], maxLength }: ExcerptOptions = {},
): string {
  if (body.length === 0) return "";
  const type = first(headers["content-type"]).toLowerCase();
  const text = toText(body.subarray(0, maxBytes), type, headers);
  if (text !== undefined) {
    return excerpt(redact(text.slice(0, maxTextLength), secrets), maxLength);
  }
  const [mediaType = ""] = type.split(";");
  return excerpt(`[binary ${mediaType.trim()}`.trim(), 100).concat("]");
}

function toText(
  body: Buffer,
  type: string,
  headers: BodyHeaders,
): string | undefined {
  const bytes = decompress(body, first(headers["content-encoding"]));
  if (bytes === undefined) return undefined;
  const [, charset = charsetOf(bytes)] =
    /;\s*charset\s*=\s*"?([^\s";]+)/.exec(type) ?? [];
  try {
    const decoder = new TextDecoder(charset, { fatal: true });
    // The last character may be there in part.
    const text = decoder.decode(bytes, { stream: true });
    return text.includes("\0") ? undefined : text;
  } catch {
    // A charset that is not known, or bytes that are none of it.
    return undefined;
  }
}

/** UTF-8 unless a byte order mark says otherwise. */
function charsetOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
}

function decompress(bytes: Buffer, encoding: string): Buffer | undefined {
  const options: ZlibOptions = {
    maxOutputLength,
    // What there is of a body that was cut off.
    finishFlush: constants.Z_SYNC_FLUSH,
  };
  try {
    switch (encoding.trim().toLowerCase()) {
      case "":
      case "identity":
        return bytes;
      case "gzip":
      case "x-gzip":
        return gunzipSync(bytes, options);
      case "deflate":
        return inflateSync(bytes, options);
      case "br":
        return brotliDecompressSync(bytes, {
          maxOutputLength,
          finishFlush: constants.BROTLI_OPERATION_FLUSH,
        });
      default:
        return undefined;
    }
  } catch {
    // Not what the header says, or too much of it.
    return undefined;
  }
}

function first(header: string | string[] | undefined): string {
  return (typeof header === "object" ? header[0] : header) ?? "";
}
