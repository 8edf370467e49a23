/**
 * How messages to endpoints that are URLs are signed: as SMN does (the
 * default), as Standard Webhooks 1.0.0 says, or not at all. Keys are numbers
 * here: what signs is derived from the service's secret key by whoever signs.
 */

import { CarillonError } from "../errors.ts";
import { addMs, type EpochMs } from "../time.ts";
import type { ProtocolDefinition } from "./protocol.ts";

export const signatureSchemes = ["smn", "standard-webhooks", "none"] as const;

export type SignatureScheme = (typeof signatureSchemes)[number];

/** Of Standard Webhooks: `v1` and `v1a`. */
export const signatureAlgorithms = ["hmac-sha256", "ed25519"] as const;

export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

/** A key that signs. */
export interface SignatureKey {
  /** From 1, by age; never used twice for one subscription. */
  readonly number: number;
  readonly algorithm: SignatureAlgorithm;
  /** It signs before that instant; absent for the newest key. */
  readonly until?: EpochMs;
}

/** What a subscription has that is, or was, not signed as SMN does. */
export interface SubscriptionSignature {
  readonly scheme: SignatureScheme;
  /** Newest first; empty unless the scheme is `standard-webhooks`. */
  readonly keys: readonly SignatureKey[];
  /** 0: there never was a key. Stays when the scheme changes. */
  readonly lastKeyNumber: number;
}

/** A scheme as its owner asks for it; unchecked. */
export interface SignatureRequest {
  readonly scheme: unknown;
  /** Of `standard-webhooks` only; default `hmac-sha256`. */
  readonly algorithm?: unknown;
}

/** A fresh key as the owner asks for it; unchecked. */
export interface RotationRequest {
  /** Default: that of the newest key. */
  readonly algorithm?: unknown;
  /** Seconds for which earlier keys sign too; default a day. */
  readonly overlapSeconds?: unknown;
}

/** Keys of one subscription that sign at once. */
export const maxSignatureKeys = 4;

export const defaultOverlapSeconds = 24 * 3600;

/** 30 days. */
export const maxOverlapSeconds = 30 * 24 * 3600;

/** Of subscriptions that have none of their own. */
export const smnSignature: SubscriptionSignature = {
  scheme: "smn",
  keys: [],
  lastKeyNumber: 0,
};

/**
 * The signature after it was set: a fresh key if the scheme has keys, and no
 * earlier one, also where the same was set before. Whoever sets it because
 * somebody has seen the secret is rid of it.
 *
 * @param protocol of the subscription; `undefined` when its channel is gone
 * @throws CarillonError SIGNATURE_INVALID
 */
export function setSignature(
  protocol: Pick<ProtocolDefinition, "isUrl"> | undefined,
  { lastKeyNumber }: Pick<SubscriptionSignature, "lastKeyNumber">,
  { scheme, algorithm }: SignatureRequest,
): SubscriptionSignature {
  if (!protocol?.isUrl) {
    throw invalid("only messages to endpoints that are URLs are signed");
  }
  if (!isOneOf(signatureSchemes, scheme)) {
    throw invalid(`scheme is one of ${signatureSchemes.join(", ")}`);
  }
  if (scheme !== "standard-webhooks") {
    if (algorithm !== undefined) {
      throw invalid(`scheme ${scheme} has no choice of algorithms`);
    }
    return { scheme, keys: [], lastKeyNumber };
  }
  const wanted = checkAlgorithm(algorithm, "hmac-sha256");
  return withKey(scheme, [], lastKeyNumber + 1, wanted);
}

/**
 * The signature with a fresh key. Earlier ones sign until the overlap ends, or
 * until they would have ended anyway.
 *
 * @throws CarillonError SIGNATURE_INVALID, SIGNATURE_CONFLICT
 */
export function rotateSignatureKey(
  { scheme, keys, lastKeyNumber }: SubscriptionSignature,
  { algorithm, overlapSeconds = defaultOverlapSeconds }: RotationRequest,
  now: EpochMs,
): SubscriptionSignature {
  if (
    typeof overlapSeconds !== "number" ||
    !Number.isInteger(overlapSeconds) ||
    overlapSeconds < 0 ||
    overlapSeconds > maxOverlapSeconds
  ) {
    throw invalid(
      `overlapSeconds is a whole number from 0 to ${maxOverlapSeconds}`,
    );
  }
  const [newest] = keys;
  const wanted = checkAlgorithm(algorithm, newest?.algorithm ?? "hmac-sha256");
  if (newest === undefined) {
    throw new CarillonError(
      "SIGNATURE_CONFLICT",
      `The subscription has no key to rotate: its scheme is ${scheme}.`,
    );
  }
  const end = addMs(now, overlapSeconds * 1000);
  const earlier = keys
    .map((key) => ({
      ...key,
      until: key.until && key.until < end ? key.until : end,
    }))
    .filter(({ until }) => until > now);
  if (earlier.length >= maxSignatureKeys) {
    throw new CarillonError(
      "SIGNATURE_CONFLICT",
      `The subscription has ${maxSignatureKeys} keys that sign, as many as it may: wait for the oldest to end, or rotate with overlapSeconds 0, which ends them all.`,
    );
  }
  return withKey(scheme, earlier, lastKeyNumber + 1, wanted);
}

/** The keys that sign at an instant, newest first. */
export function keysAt(
  { keys }: SubscriptionSignature,
  now: EpochMs,
): readonly SignatureKey[] {
  return keys.filter(({ until }) => until === undefined || until > now);
}

function withKey(
  scheme: SignatureScheme,
  earlier: readonly SignatureKey[],
  number: number,
  algorithm: SignatureAlgorithm,
): SubscriptionSignature {
  return {
    scheme,
    keys: [{ number, algorithm }, ...earlier],
    lastKeyNumber: number,
  };
}

function checkAlgorithm(
  algorithm: unknown,
  otherwise: SignatureAlgorithm,
): SignatureAlgorithm {
  if (algorithm === undefined) return otherwise;
  if (isOneOf(signatureAlgorithms, algorithm)) return algorithm;
  throw invalid(`algorithm is one of ${signatureAlgorithms.join(", ")}`);
}

function isOneOf<Value>(
  values: readonly Value[],
  value: unknown,
): value is Value {
  return values.some((known) => known === value);
}

function invalid(rule: string): CarillonError {
  return new CarillonError("SIGNATURE_INVALID", `Invalid signature: ${rule}.`);
}
