/**
 * Verifies what services sign by the Standard Webhooks specification: HMAC-SHA256
 * over id, time and body, in the headers `webhook-id`, `webhook-timestamp` and
 * `webhook-signature`.
 */

import { createHmac } from "node:crypto";
import type { EpochMs } from "@carillon/core";
import { equalsConstantTime } from "@carillon/gateway";

/** How far the time of a request may be from ours, in seconds. */
export const replayWindowSeconds = 300;

/** Of the headers; what is no text is as if it were absent. */
export interface SignedHeaders {
  readonly id: unknown;
  readonly timestamp: unknown;
  readonly signature: unknown;
}

/**
 * Why a request is not taken, as a sentence; `undefined`: it is signed with the
 * secret, now.
 *
 * @param secret `whsec_` and base64; see {@link problemWithWebhookSecret}
 */
export function problemWithSignature(
  secret: string,
  { id, timestamp, signature }: SignedHeaders,
  body: Uint8Array,
  now: EpochMs,
): string | undefined {
  if (!isText(id) || !isText(timestamp) || !isText(signature)) {
    return "The headers webhook-id, webhook-timestamp and webhook-signature are needed.";
  }
  if (!/^\d{1,12}$/.test(timestamp)) {
    return "The header webhook-timestamp must be seconds since 1970.";
  }
  if (Math.abs(now / 1000 - Number(timestamp)) > replayWindowSeconds) {
    return `The header webhook-timestamp is more than ${replayWindowSeconds / 60} minutes from the time here.`;
  }
  const expected = createHmac("sha256", keyOf(secret))
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest("base64");
  // Several while a secret is being replaced.
  const isRight = signature
    .split(" ", maxSignatures)
    .some((one) => equalsConstantTime(one, `v1,${expected}`));
  return isRight ? undefined : "The signature is wrong.";
}

/** Completes "…; expected …" when the secret cannot be used. */
export function problemWithWebhookSecret(secret: unknown): string | undefined {
  return typeof secret === "string" &&
    /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret) &&
    keyOf(secret).length >= 16 &&
    keyOf(secret).length <= 64
    ? undefined
    : "expected whsec_ and 16 to 64 bytes in base64, got a value that is not shown";
}

const maxSignatures = 10;

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice("whsec_".length), "base64");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 2000;
}
