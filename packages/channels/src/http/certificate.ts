/**
 * Makes self-signed X.509 certificates (RFC 5280) for RSA keys. Node can read
 * certificates but not make them; the few DER forms needed are written here.
 */

import {
  createHash,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { promisify } from "node:util";
import type { EpochMs } from "@carillon/core";

export interface CertificateOptions {
  readonly privateKey: KeyObject;
  /** Subject and issuer. */
  readonly commonName: string;
  /** To the second; milliseconds are cut off. */
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

/** Answers the certificate as PEM; signed with sha256WithRSAEncryption. */
export async function createSelfSignedCertificate(
  options: CertificateOptions,
): Promise<string> {
  const publicKey = createPublicKey(options.privateKey).export({
    type: "spki",
    format: "der",
  });
  const name = sequence(
    set(sequence(oid(2, 5, 4, 3), utf8String(options.commonName))),
  );
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(serialNumber()),
    sha256WithRsa,
    name,
    sequence(time(options.notBefore), time(options.notAfter)),
    name,
    publicKey,
    explicit(3, extensions(publicKey)),
  );
  const signature = await signInPool("RSA-SHA256", body, options.privateKey);
  const certificate = sequence(body, sha256WithRsa, bitString(signature));
  return toPem(certificate);
}

const signInPool: (
  algorithm: string,
  data: Buffer,
  key: KeyObject,
) => Promise<Buffer> = promisify(sign);

/** Positive, unpredictable, at most 20 bytes (RFC 5280 §4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  // Never zero in front, so that the integer has one encoding.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/**
 * Basic constraints (no authority) and an identifier of the key. No key usage:
 * "signs messages only" would forbid the signature on the certificate itself.
 */
function extensions(publicKey: Buffer): Buffer {
  const keyId = createHash("sha1").update(publicKey).digest();
  return sequence(
    extension(oid(2, 5, 29, 19), true, sequence()),
    extension(oid(2, 5, 29, 14), false, octetString(keyId)),
  );
}

function extension(id: Buffer, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tagged(0x01, Buffer.of(0xff))] : [];
  return sequence(id, ...critical, octetString(value));
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). */
function time(at: EpochMs): Buffer {
  const digits = new Date(at).toISOString().replace(/\.\d+|\D/g, "");
  return digits < "2050"
    ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tagged(0x18, Buffer.from(`${digits}Z`));
}

function toPem(der: Buffer): string {
  const lines = der.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

// DER (ITU-T X.690): tag, length, content.

function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(content);
  const length: number[] = [];
  for (let rest = value.length; rest > 0; rest = Math.floor(rest / 256)) {
    length.unshift(rest % 256);
  }
  const header =
    value.length < 0x80
      ? [tag, value.length]
      : [tag, 0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from(header), value]);
}

function sequence(...items: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...items);
}

function set(...items: readonly Uint8Array[]): Buffer {
  return tagged(0x31, ...items);
}

function explicit(number: number, item: Buffer): Buffer {
  return tagged(0xa0 | number, item);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function octetString(bytes: Buffer): Buffer {
  return tagged(0x04, bytes);
}

function utf8String(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text));
}

function bitString(bytes: Buffer): Buffer {
  const unusedBits = Buffer.of(0);
  return tagged(0x03, unusedBits, bytes);
}

function oid(first: number, second: number, ...rest: number[]): Buffer {
  const bytes = [40 * first + second];
  for (const part of rest) {
    const septets = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) {
      septets.unshift((left & 0x7f) | 0x80);
    }
    bytes.push(...septets);
  }
  return tagged(0x06, Buffer.from(bytes));
}

const sha256WithRsa = sequence(oid(1, 2, 840, 113549, 1, 1, 11), tagged(0x05));
