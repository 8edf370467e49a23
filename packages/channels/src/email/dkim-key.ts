/** The key that mails are signed with (RFC 6376, RFC 8301). */

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** Whose signature mails have; the public key stands in DNS. */
export interface DkimKey {
  /** The signing domain: that of the senders, or one above it. */
  readonly domain: string;
  /** The record is `<selector>._domainkey.<domain>`. */
  readonly selector: string;
  /** RSA, PEM. */
  readonly privateKey: string;
}

/** Fewer are not to be used by signers (RFC 8301 §3.2). */
const minBits = 1024;

/**
 * What keeps a text from being the private key of DKIM, as a clause without any
 * of the text; `undefined`: nothing.
 */
export function problemWithDkimKey(pem: string): string | undefined {
  const expected = `expected an RSA private key of ${minBits} bits or more in PEM, without a passphrase`;
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The error may quote the text.
    return `${expected}, got a value that is not shown and is no such key`;
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails } = key;
  if (type !== "rsa") {
    return `${expected}, got one of type ${type}: not all receivers verify those`;
  }
  const { modulusLength = 0 } = asymmetricKeyDetails ?? {};
  return modulusLength < minBits
    ? `${expected}, got one of ${modulusLength} bits`
    : undefined;
}

/** Name and text of the TXT record by which receivers verify signatures. */
export function dkimRecordOf({ domain, selector, privateKey }: DkimKey): {
  readonly name: string;
  readonly text: string;
} {
  const publicKey = createPublicKey(privateKey)
    .export({ type: "spki", format: "der" })
    .toString("base64");
  return {
    name: `${selector}._domainkey.${domain}`,
    text: `v=DKIM1; k=rsa; p=${publicKey}`,
  };
}
