/**
 * Signs requests with an access key, the way of Huawei's SDKs of version 3
 * ("SDK-HMAC-SHA256", key used as it is). Uses WebCrypto, which browsers offer
 * on secure origins only.
 */

import { percentEncode, toHex } from "../encoding.ts";

export interface SignableRequest {
  readonly method: string;
  readonly url: string;
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when there is none. */
  readonly body: string;
}

const algorithm = "SDK-HMAC-SHA256";
const utf8 = new TextEncoder();

/** Answers the Authorization header. `x-sdk-date` has to be in the headers. */
export async function signRequest(
  request: SignableRequest,
  accessKey: string,
  secretKey: string,
): Promise<string> {
  const canonical = await canonicalRequest(request);
  const text = [
    algorithm,
    request.headers["x-sdk-date"],
    await sha256(canonical),
  ].join("\n");
  const signature = await hmacSha256(secretKey, text);
  const names = Object.keys(request.headers).sort().join(";");
  return `${algorithm} Access=${accessKey}, SignedHeaders=${names}, Signature=${signature}`;
}

/** The request in the one form that both sides hash. */
export async function canonicalRequest(
  request: SignableRequest,
): Promise<string> {
  const { pathname, search } = new URL(request.url);
  const names = Object.keys(request.headers).sort();
  return [
    request.method.toUpperCase(),
    canonicalPath(pathname),
    canonicalQuery(search),
    names.map((name) => `${name}:${request.headers[name]?.trim()}\n`).join(""),
    names.join(";"),
    await sha256(request.body),
  ].join("\n");
}

/** The form of `X-Sdk-Date`: `20260115T083000Z`. */
export function toSdkDate(date: Date): string {
  return date.toISOString().replace(/\.\d+|[-:]/g, "");
}

export async function sha256(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", utf8.encode(text)));
}

function canonicalPath(pathname: string): string {
  const path = pathname
    .split("/")
    .map((segment) => percentEncode(decodeURIComponent(segment)))
    .join("/");
  return path.endsWith("/") ? path : `${path}/`;
}

function canonicalQuery(search: string): string {
  return [...new URLSearchParams(search)]
    .sort(
      ([name, value], [otherName, otherValue]) =>
        compare(percentEncode(name), percentEncode(otherName)) ||
        // Of a parameter that comes several times, by their bytes.
        compare(bytesOf(value), bytesOf(otherValue)),
    )
    .map((pair) => pair.map(percentEncode).join("="))
    .join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** As text that sorts as they do. */
function bytesOf(text: string): string {
  return toHex(utf8.encode(text).slice().buffer);
}

async function hmacSha256(key: string, text: string): Promise<string> {
  const imported = await crypto.subtle.importKey(
    "raw",
    utf8.encode(key),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return toHex(await crypto.subtle.sign("HMAC", imported, utf8.encode(text)));
}
