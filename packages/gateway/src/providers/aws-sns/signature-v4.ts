/**
 * Amazon's signature of requests: an HMAC, by a key that is good for a day, a
 * region and a service, over the request and a hash of its body. Source: AWS
 * Signature Version 4, "Create a signed AWS API request".
 */

import { toHex } from "../../hex.ts";
import { importHmacKey } from "../../hmac.ts";

/** Who signs. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface UnsignedRequest {
  readonly method: string;
  readonly url: string;
  /** All of them are signed; names in lower case, without `host`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SigningScope {
  readonly region: string;
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const algorithm = "AWS4-HMAC-SHA256";

/** The headers of the signed request, without the `host` that it covers. */
export async function signV4(
  { method, url, body, ...request }: UnsignedRequest,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  { region, service, now }: SigningScope,
): Promise<Record<string, string>> {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const headers = {
    ...request.headers,
    "x-amz-date": time,
    ...(sessionToken !== undefined && {
      "x-amz-security-token": sessionToken,
    }),
  };
  const { host, pathname, searchParams } = new URL(url);
  const lines = Object.entries({ ...headers, host }).sort(byName);
  const names = lines.map(([name]) => name).join(";");
  const canonical = [
    method,
    // What is encoded in a path already is so twice here.
    pathname.split("/").map(encode).join("/"),
    canonicalQuery(searchParams),
    ...lines.map(([name, value]) => `${name}:${collapse(value)}`),
    "",
    names,
    await sha256(body),
  ].join("\n");

  const scope = [day, region, service, "aws4_request"];
  const toSign = [algorithm, time, scope.join("/"), await sha256(canonical)];
  let key = await importHmacKey(`AWS4${secretAccessKey}`, "SHA-256");
  for (const part of scope) {
    key = await importHmacKey(await key.sign(part), "SHA-256");
  }
  const signature = toHex(await key.sign(toSign.join("\n")));
  return {
    ...headers,
    authorization: `${algorithm} Credential=${accessKeyId}/${scope.join("/")}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort((a, b) => byName(a, b) || compare(a[1], b[1]))
    .map((pair) => pair.join("="))
    .join("&");
}

/** RFC 3986: all but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function collapse(value: string): string {
  return value.trim().replace(/ +/g, " ");
}

function byName(
  [a]: readonly [string, string],
  [b]: readonly [string, string],
) {
  return compare(a, b);
}

/** By code, whatever the language is. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  return toHex(new Uint8Array(hash));
}
