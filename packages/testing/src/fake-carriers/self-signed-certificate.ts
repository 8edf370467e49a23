/**
 * An RSA key with a certificate of its own (RFC 5280), for carriers that sign
 * what they call with. Node can read certificates but not make them.
 */

import { generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";

/** A key, and the certificate for it. */
export interface CertifiedKey {
  readonly privateKey: KeyObject;
  readonly pem: string;
}

/** Makes both; the key takes a tenth of a second. */
export async function createCertifiedKey({
  notBefore,
  notAfter,
  version = 3,
}: {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of X.509. */
  readonly version?: 1 | 3;
}): Promise<CertifiedKey> {
  const keys = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const { privateKey, publicKey } = keys;
  const name = der(0x30, der(0x31, der(0x30, commonName, text("Fake"))));
  const body = der(
    0x30,
    // Left out of version 1.
    version === 3 ? der(0xa0, der(0x02, Buffer.of(2))) : Buffer.alloc(0),
    der(0x02, Buffer.of(1)),
    sha256WithRsa,
    name,
    der(0x30, time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign("RSA-SHA256", body, privateKey);
  const certificate = der(
    0x30,
    body,
    sha256WithRsa,
    der(0x03, Buffer.of(0), signature),
  );
  const base64 = certificate.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  const pem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  return { privateKey, pem };
}

/** DER (ITU-T X.690): tag, length, content. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(content);
  const { length } = value;
  const header =
    length < 0x80
      ? [tag, length]
      : [tag, 0x82, Math.floor(length / 256), length % 256];
  return Buffer.concat([Buffer.from(header), value]);
}

function text(value: string): Buffer {
  return der(0x0c, Buffer.from(value));
}

/** UTCTime until 2049, GeneralizedTime from 2050. */
function time(at: Date): Buffer {
  const digits = `${at.toISOString().replace(/\.\d+|\D/g, "")}Z`;
  return digits < "2050"
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}

const commonName = der(0x06, Buffer.of(0x55, 0x04, 0x03));
const sha256WithRsa = der(
  0x30,
  der(0x06, Buffer.from("2a864886f70d01010b", "hex")),
  der(0x05),
);
