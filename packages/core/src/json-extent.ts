/**
 * Measures JSON before it is parsed: a parser takes memory and time by the
 * value, and a text of a few bytes per value has very many of them.
 */

/** What a JSON text may contain at most. */
export interface JsonLimits {
  /** Texts, numbers, literals, lists and objects; names of members are none. */
  readonly values: number;
  /** Members of all objects together: names are the dearest part. */
  readonly members: number;
  /** Lists and objects inside each other; `[]` is 1 deep. */
  readonly depth: number;
}

/**
 * The first of the limits that a JSON text in UTF-8 exceeds; `undefined` when
 * it exceeds none. One pass over the bytes, without allocation, that ends
 * where a limit is passed. What is no JSON is left to the parser.
 */
export function findExcess(
  bytes: Uint8Array,
  limits: JsonLimits,
): keyof JsonLimits | undefined {
  const { length } = bytes;
  let values = 0;
  let members = 0;
  let depth = 0;
  let at = 0;
  while (at < length) {
    const byte = bytes[at++];
    switch (byte) {
      case quote:
        values++;
        while (at < length) {
          const inside = bytes[at++];
          if (inside === quote) break;
          if (inside === backslash) at++;
        }
        break;
      case colon:
        // What was counted before it was a name.
        values--;
        if (++members > limits.members) return "members";
        break;
      case openList:
      case openObject:
        values++;
        if (++depth > limits.depth) return "depth";
        break;
      case closeList:
      case closeObject:
        depth--;
        break;
      case comma:
        if (values > limits.values) return "values";
        break;
      case space:
      case lineFeed:
      case carriageReturn:
      case tab:
        break;
      default:
        // A number or a literal, up to what ends it.
        values++;
        while (at < length && !endsScalar(bytes[at])) at++;
    }
  }
  return values > limits.values ? "values" : undefined;
}

/** Whether no number and no literal has this byte in it. */
function endsScalar(byte: number | undefined): boolean {
  return (
    byte === comma ||
    byte === closeList ||
    byte === closeObject ||
    byte === space ||
    byte === lineFeed ||
    byte === carriageReturn ||
    byte === tab
  );
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
const space = 0x20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const tab = 0x09;
