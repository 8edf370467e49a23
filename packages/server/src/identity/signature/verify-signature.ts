/** Checks the signature of a request against the secret key it names. */

import { createHmac, hash, hkdfSync, timingSafeEqual } from "node:crypto";
import { type EpochMs, instantOf } from "@carillon/core";
import {
  type CanonicalForm,
  headerText,
  type SignedRequest,
  toCanonicalRequest,
} from "./canonical-request.ts";
import type { SignatureHeader } from "./signature-header.ts";

const dateHeader = "x-sdk-date";

/** How far a signature's date may be from this clock, either way. */
export const maxClockSkewMs = 15 * 60_000;

/** When the request was signed; `undefined` if it does not say. */
export function signedAt(
  request: Omit<SignedRequest, "body">,
): EpochMs | undefined {
  const text = headerText(request.headers, dateHeader) ?? "";
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hours, minutes, seconds] = match;
  return instantOf(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
}

/**
 * Whether the secret key made a signature. The date is not looked at.
 *
 * @param publicUrl where clients reach the server, should a proxy change the
 * path or the Host they signed
 */
export type SignatureVerifier = (
  header: SignatureHeader,
  request: SignedRequest,
  publicUrl?: string,
) => boolean;

/**
 * Answers the verifier of a secret key. It caches the last key derived from
 * it, which is the same all day and costs more than all the rest.
 */
export function createSignatureVerifier(secretKey: string): SignatureVerifier {
  let last: { readonly of: string; readonly key: string | Buffer } | undefined;
  return (header, request, publicUrl) => {
    const of = `${header.dialect} ${header.accessKey} ${header.scope}`;
    if (last?.of !== of) last = { of, key: signingKey(secretKey, header) };
    for (const sent of requestsBeforeProxy(request, publicUrl)) {
      if (isSignedWith(last.key, header, sent)) return true;
    }
    return false;
  };
}

/**
 * The request as it came, and as its client may have sent it to a proxy that
 * serves this server below the path of the public URL, or that puts another
 * Host in place of the client's.
 */
function* requestsBeforeProxy(
  request: SignedRequest,
  publicUrl = "",
): Generator<SignedRequest, undefined> {
  yield request;
  const address = URL.parse(publicUrl);
  if (!address) return undefined;
  const prefix = address.pathname.replace(/\/+$/, "");
  const prefixed = { ...request, url: prefix + request.url };
  if (prefix !== "") yield prefixed;
  const { host } = address;
  if (host !== request.headers.host) {
    yield { ...prefixed, headers: { ...request.headers, host } };
  }
  return undefined;
}

function isSignedWith(
  key: string | Buffer,
  header: SignatureHeader,
  request: SignedRequest,
): boolean {
  const given = Buffer.from(header.signature, "hex");
  return formsOf(header, request).some((form) => {
    const canonical = toCanonicalRequest(request, header.signedHeaders, form);
    if (canonical === undefined) return false;
    const signature = createHmac("sha256", key)
      .update(stringToSign(header, request, canonical))
      .digest();
    return timingSafeEqual(signature, given);
  });
}

/** The forms the client may have signed, the likeliest first. */
function* formsOf(
  { dialect }: SignatureHeader,
  { method, url, body }: SignedRequest,
): Generator<CanonicalForm, undefined> {
  const scoped = dialect === "scoped";
  const form: CanonicalForm = {
    decodePath: true,
    queryValues: scoped ? "first" : "all",
    collapseSpaces: scoped,
    queryAsPayload: false,
  };
  yield form;
  // A path without escapes reads the same either way.
  const escaped = url.split("?", 1)[0]?.includes("%") === true;
  if (escaped) yield { ...form, decodePath: false };
  if (scoped && method === "POST" && body.length === 0 && url.includes("?")) {
    yield { ...form, queryAsPayload: true };
    if (escaped) yield { ...form, queryAsPayload: true, decodePath: false };
  }
  return undefined;
}

function stringToSign(
  { dialect, scope }: SignatureHeader,
  request: SignedRequest,
  canonicalRequest: string,
): string {
  const algorithm =
    dialect === "derived" ? "V11-HMAC-SHA256" : "SDK-HMAC-SHA256";
  const date = headerText(request.headers, dateHeader) ?? "";
  const digest = hash("sha256", canonicalRequest, "hex");
  return dialect === "plain"
    ? `${algorithm}\n${date}\n${digest}`
    : `${algorithm}\n${date}\n${scope}\n${digest}`;
}

function signingKey(
  secretKey: string,
  { dialect, scope, accessKey }: SignatureHeader,
): string | Buffer {
  switch (dialect) {
    case "plain":
      return secretKey;
    case "scoped":
      return scope
        .split("/")
        .reduce<string | Buffer>(
          (key, part) => createHmac("sha256", key).update(part).digest(),
          `SDK${secretKey}`,
        );
    case "derived":
      // The hexadecimal text is the key, not the bytes it stands for.
      return Buffer.from(
        hkdfSync("sha256", secretKey, accessKey, scope, 32),
      ).toString("hex");
    default:
      return dialect satisfies never;
  }
}
