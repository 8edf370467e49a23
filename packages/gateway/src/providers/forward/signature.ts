/**
 * Signs requests between peers of this package with a shared secret: HMAC with
 * SHA-256 over the time and the body, so that a request can neither be altered
 * nor repeated much later.
 */

import { ForbiddenRequestError } from "../../receiver.ts";

export const SIGNATURE_HEADER = "carillon-forward-signature";

const TOLERANCE_MS = 300_000;

/** The value of the signature header. */
export async function sign(
  secret: string,
  body: string | Uint8Array<ArrayBuffer>,
  nowMs: number,
): Promise<string> {
  const time = String(Math.floor(nowMs));
  const key = await importKey(secret);
  const mac = await crypto.subtle.sign("HMAC", key, signedData(time, body));
  return `t=${time},v1=${toHex(new Uint8Array(mac))}`;
}

/**
 * Throws `ForbiddenRequestError` for a missing or wrong signature, and for one
 * more than five minutes away from now.
 */
export async function verify(
  secret: string,
  body: string | Uint8Array<ArrayBuffer>,
  header: string | undefined,
  nowMs: number,
): Promise<void> {
  const match = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(header ?? "");
  const [, time = "", hex = ""] = match ?? [];
  if (match !== null && Math.abs(nowMs - Number(time)) <= TOLERANCE_MS) {
    const key = await importKey(secret);
    const data = signedData(time, body);
    // The platform's verification compares in constant time.
    if (await crypto.subtle.verify("HMAC", key, fromHex(hex), data)) return;
  }
  throw new ForbiddenRequestError("The signature is missing, wrong or old");
}

type HmacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

function importKey(secret: string): Promise<HmacKey> {
  return crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
}

function signedData(
  time: string,
  body: string | Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const head = encoder.encode(`${time}.`);
  const rest = typeof body === "string" ? encoder.encode(body) : body;
  const data = new Uint8Array(head.length + rest.length);
  data.set(head);
  data.set(rest, head.length);
  return data;
}

function toHex(octets: Uint8Array): string {
  return Array.from(octets, (o) => o.toString(16).padStart(2, "0")).join("");
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const pairs = hex.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}
