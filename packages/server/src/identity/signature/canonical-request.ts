/**
 * The form of a request that both sides sign. Paths and queries are handled as
 * bytes: they are decoded once and encoded again with the unreserved set of
 * RFC 3986, whatever the client's URL library left unescaped.
 */

import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they came on the wire. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Decides what clients do differently. */
export interface CanonicalForm {
  /**
   * False: the escapes in the path are signed as if they were text, for
   * clients whose HTTP library escapes what was already escaped.
   */
  readonly decodePath: boolean;
  /** `first`: only the first value of a repeated parameter is signed. */
  readonly queryValues: "all" | "first";
  /** Runs of white space in header values become one space. */
  readonly collapseSpaces: boolean;
  /** The query is signed in place of the (absent) body. */
  readonly queryAsPayload: boolean;
}

const contentHashHeader = "x-sdk-content-sha256";

/** `undefined` when the body is not the one its hash header speaks of. */
export function toCanonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  form: CanonicalForm,
): string | undefined {
  const [path, query] = splitUrl(request.url);
  // Sorted by the client, and however it sorts is how it signed.
  const names = signedHeaders;
  const payload = payloadHash(request, query, form);
  if (payload === undefined) return undefined;
  return [
    request.method.toUpperCase(),
    canonicalPath(path, form),
    form.queryAsPayload ? "" : canonicalQuery(query, form),
    names
      .map((name) => `${name}:${headerValue(request.headers, name, form)}\n`)
      .join(""),
    names.join(";"),
    payload,
  ].join("\n");
}

function payloadHash(
  request: SignedRequest,
  query: string,
  form: CanonicalForm,
): string | undefined {
  const stated = headerText(request.headers, contentHashHeader);
  if (stated === "UNSIGNED-PAYLOAD") return stated;
  const actual = form.queryAsPayload
    ? hash("sha256", formEncodedQuery(query), "hex")
    : hashOf(request.body);
  if (stated === undefined) return actual;
  // Taken on trust it would let anyone exchange the body of a signed request.
  return stated.toLowerCase() === actual ? stated : undefined;
}

/** A body is hashed once, in however many forms its request is tried. */
const bodyHashes = new WeakMap<Uint8Array, string>();

function hashOf(body: Uint8Array): string {
  const known = bodyHashes.get(body);
  if (known !== undefined) return known;
  const computed = hash("sha256", body, "hex");
  bodyHashes.set(body, computed);
  return computed;
}

function splitUrl(url: string): [path: string, query: string] {
  const cut = url.indexOf("?");
  return cut < 0 ? [url, ""] : [url.slice(0, cut), url.slice(cut + 1)];
}

function canonicalPath(path: string, { decodePath }: CanonicalForm): string {
  const segments = path
    .split("/")
    .map((segment) =>
      encodeBytes(decodePath ? decodeBytes(segment, false) : segment),
    );
  const joined = segments.join("/");
  return joined.endsWith("/") ? joined : `${joined}/`;
}

function canonicalQuery(query: string, { queryValues }: CanonicalForm): string {
  if (query === "") return "";
  const parameters = parseQuery(query);
  if (queryValues === "first") {
    return [...parameters]
      .map(([name, [value = ""]]) => ({ name: encodeBytes(name), value }))
      .sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()))
      .map(({ name, value }) => `${name}=${encodeBytes(value)}`)
      .join("&");
  }
  return [...parameters]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([name, values]) =>
      values
        .toSorted(compare)
        .map((value) => `${encodeBytes(name)}=${encodeBytes(value)}`),
    )
    .join("&");
}

/** As an HTML form of GET would write it: sorted names, `+` for a space. */
function formEncodedQuery(query: string): string {
  return [...parseQuery(query)]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([name, values]) =>
      values.map((value) => `${encodeBytes(name)}=${encodeBytes(value)}`),
    )
    .join("&")
    .replaceAll("%20", "+");
}

/** Names and values as byte strings, in the order they came. */
function parseQuery(query: string): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  for (const part of query.split("&")) {
    if (part === "") continue;
    const cut = part.indexOf("=");
    const name = decodeBytes(cut < 0 ? part : part.slice(0, cut), true);
    const value = cut < 0 ? "" : decodeBytes(part.slice(cut + 1), true);
    const values = parameters.get(name);
    if (values) values.push(value);
    else parameters.set(name, [value]);
  }
  return parameters;
}

function headerValue(
  headers: IncomingHttpHeaders,
  name: string,
  { collapseSpaces }: CanonicalForm,
): string {
  const value = (headerText(headers, name) ?? "").trim();
  return collapseSpaces ? value.replace(/\s+/g, " ") : value;
}

export function headerText(
  headers: IncomingHttpHeaders,
  name: string,
): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Decodes percent escapes into characters that stand for one byte each. */
function decodeBytes(text: string, plusIsSpace: boolean): string {
  const plain = plusIsSpace ? text.replaceAll("+", " ") : text;
  if (!plain.includes("%")) return plain;
  return plain.replace(/%([0-9A-Fa-f]{2})/g, (_, byte: string) =>
    String.fromCharCode(Number.parseInt(byte, 16)),
  );
}

/** Encodes all but the unreserved characters (RFC 3986 §2.3). */
function encodeBytes(text: string): string {
  return text.replace(/[^A-Za-z0-9._~-]/g, encodeByte);
}

function encodeByte(character: string): string {
  const byte = character.charCodeAt(0) & 0xff;
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
