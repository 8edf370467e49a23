/**
 * Verifies what a subscription of signature scheme `standard-webhooks` is sent,
 * by version 1.0.0 of https://www.standardwebhooks.com. A valid signature says
 * that the service sent this within the tolerance, not that it is new: receivers
 * drop repeats by `messageId`.
 */

import { decodeBase64 } from "../encoding.ts";
import { InvalidOptionsError, NotificationError } from "../errors.ts";
import { parseContent, type ReceivedMessage } from "./notification.ts";
import { markVerified } from "./verified.ts";

/** What a request has to fit. */
export interface WebhookOptions {
  /**
   * `whsec_…` of the subscription, or its `whpk_…`. Several while one takes the
   * place of another: one that fits is enough.
   */
  readonly key: string | readonly string[];
  /** How far the request's time may be from now; default 300. */
  readonly toleranceSeconds?: number | undefined;
  /** Milliseconds since 1970; default the machine's clock. */
  readonly now?: (() => number) | undefined;
}

/** Fetch's `Headers`, or an object such as Node's `request.headers`. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Resolves with the content of a request that the service signed.
 *
 * @param body the bytes as they came, or their text: JSON that was parsed and
 * written again is not what was signed
 * @throws NotificationError, which calls for a 403: trying again is useless
 * @throws InvalidOptionsError for keys that are none
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  options: WebhookOptions,
): Promise<ReceivedMessage> {
  const keys = [options.key].flat().map(parseKey);
  if (keys.length === 0) throw badKey();
  const id = readHeader(headers, "webhook-id");
  const timestamp = readHeader(headers, "webhook-timestamp");
  const signatures = parseSignatures(readHeader(headers, "webhook-signature"));
  checkTime(timestamp, options);
  const bytes = typeof body === "string" ? utf8.encode(body) : body;
  const signed = concat(utf8.encode(`${id}.${timestamp}.`), bytes);
  if (!(await isSigned(signed, signatures, keys))) {
    throw new NotificationError(
      `The signature of message ${id} is not valid.`,
      "bad-signature",
    );
  }
  const content = parseContent(bytes);
  if (content.messageId !== id) {
    throw new NotificationError(
      `The body is of another message than ${id}.`,
      "malformed",
    );
  }
  markVerified(content);
  return content;
}

interface Key {
  readonly version: "v1" | "v1a";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface WebhookSignature {
  readonly version: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** More than the service ever sends. */
const maxSignatures = 16;

const utf8 = new TextEncoder();

/** @throws InvalidOptionsError */
function parseKey(text: string): Key {
  const [, kind, base64 = ""] = /^(whsec|whpk)_(.+)$/.exec(text) ?? [];
  const bytes = decodeBase64(base64);
  if (bytes === undefined || bytes.length === 0) throw badKey();
  if (kind === "whsec") return { version: "v1", bytes };
  if (bytes.length !== 32) throw badKey();
  return { version: "v1a", bytes };
}

function badKey(): InvalidOptionsError {
  return new InvalidOptionsError(
    "Expected key to be whsec_ or whpk_ and base64, as the subscription's signature shows it.",
  );
}

/** @throws NotificationError */
function readHeader(headers: WebhookHeaders, name: string): string {
  const value = isFetchHeaders(headers)
    ? headers.get(name)
    : Object.entries(headers).find(([it]) => it.toLowerCase() === name)?.[1];
  if (typeof value === "string" && value !== "") return value;
  throw malformed(`Expected one header ${name}.`);
}

function isFetchHeaders(
  headers: WebhookHeaders,
): headers is { get(name: string): string | null } {
  return typeof headers.get === "function";
}

/** Those that are none are left out, as versions that are not known are. */
function parseSignatures(text: string): readonly WebhookSignature[] {
  return text.split(" ", maxSignatures).flatMap((one): WebhookSignature[] => {
    const [version = "", base64 = ""] = one.split(",", 2);
    const bytes = decodeBase64(base64);
    return bytes === undefined ? [] : [{ version, bytes }];
  });
}

/** @throws NotificationError */
function checkTime(
  timestamp: string,
  { toleranceSeconds = 300, now = Date.now }: WebhookOptions,
): void {
  if (!/^\d{1,15}$/.test(timestamp)) {
    throw malformed("Expected webhook-timestamp to be seconds.");
  }
  const ageSeconds = now() / 1000 - Number(timestamp);
  if (Math.abs(ageSeconds) <= toleranceSeconds) return;
  throw new NotificationError(
    `The request was signed ${Math.round(Math.abs(ageSeconds))} s ${ageSeconds > 0 ? "ago" : "in the future"}: it was sent again by somebody else, or a clock is wrong.`,
    "bad-time",
  );
}

async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  signatures: readonly WebhookSignature[],
  keys: readonly Key[],
): Promise<boolean> {
  for (const { version, bytes } of keys) {
    const algorithm =
      version === "v1" ? { name: "HMAC", hash: "SHA-256" } : "Ed25519";
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, [
      "verify",
    ]);
    const name = version === "v1" ? "HMAC" : "Ed25519";
    for (const signature of signatures) {
      if (signature.version !== version) continue;
      if (await crypto.subtle.verify(name, key, signature.bytes, signed)) {
        return true;
      }
    }
  }
  return false;
}

function concat(
  first: Uint8Array,
  second: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function malformed(message: string): NotificationError {
  return new NotificationError(message, "malformed");
}
