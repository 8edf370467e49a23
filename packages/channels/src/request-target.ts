/** What of a URL goes on the wire: where to, the request line, credentials. */

import { secretsOfUrl } from "@carillon/gateway";

export interface RequestTarget {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** The `Authorization` header of a URL with user info (RFC 7617). */
  readonly authorization?: string;
}

/**
 * What of a request must not be kept if its answer quotes it: see `redact`.
 *
 * @param headers those that the endpoint's owner added
 */
export function secretsOfRequest(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): string[] {
  const { authorization } = toRequestTarget(url) ?? {};
  return [
    ...secretsOfUrl(url),
    ...(authorization === undefined ? [] : [authorization.slice(basic.length)]),
    ...Object.values(headers).filter(({ length }) => length >= minHeaderLength),
  ];
}

/** Shorter values switch something on. */
const minHeaderLength = 8;

const basic = "Basic ";

/** `undefined` when the text is no URL of HTTP. */
export function toRequestTarget(text: string): RequestTarget | undefined {
  const url = URL.parse(text);
  if (url === null) return undefined;
  const { origin, pathname, protocol, search } = url;
  if (protocol !== "https:" && protocol !== "http:") return undefined;
  const path =
    pathname + (search.includes("%27") ? queryOf(text, url) : search);
  return text.includes("@") && (url.username || url.password)
    ? { origin, path, authorization: toBasic(url) }
    : { origin, path };
}

/**
 * The parser writes `'` as %27, which is not equivalent (RFC 3986 §2.2): a query
 * goes out as it was given, if there is nothing in it that has to be escaped.
 */
function queryOf(text: string, { search }: URL): string {
  const [beforeFragment = ""] = text.split("#", 1);
  const given = beforeFragment.slice(beforeFragment.indexOf("?"));
  return /^[!#-;=?-~]*$/.test(given) ? given : search;
}

function toBasic({ username, password }: URL): string {
  const bytes = percentDecoded(`${username}:${password}`);
  return `${basic}${bytes.toString("base64")}`;
}

/** A parsed URL is ASCII; what its escapes stand for may be any bytes. */
function percentDecoded(text: string): Buffer {
  return Buffer.from(
    text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    "latin1",
  );
}
