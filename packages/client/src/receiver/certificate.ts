/**
 * Gets the RSA key out of an X.509 certificate (RFC 5280), which WebCrypto does
 * not do. It does not judge the certificate: that it is the right one follows
 * from where it was fetched, or from being pinned.
 */

import { decodeBase64 } from "../encoding.ts";
import { InvalidCertificateError } from "../errors.ts";
import { type DerElement, readDer } from "./der.ts";

/** Whether the signature is the key's over the data. */
export type SignatureCheck = (
  signature: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
) => Promise<boolean>;

/**
 * RSASSA-PKCS1-v1_5 with SHA-256 and the key of the (first) certificate.
 * @throws InvalidCertificateError
 */
export async function createSignatureCheck(
  pem: string,
): Promise<SignatureCheck> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const publicKey = readPublicKey(decodePem(pem));
  const key = await crypto.subtle
    .importKey("spki", publicKey, algorithm, false, ["verify"])
    .catch((cause: unknown) => {
      throw new InvalidCertificateError(
        "The certificate's key is not an RSA key.",
        { cause },
      );
    });
  return (signature, data) =>
    crypto.subtle.verify(algorithm.name, key, signature, data);
}

function decodePem(pem: string): Uint8Array<ArrayBuffer> {
  const [, base64 = ""] =
    /-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/.exec(
      pem,
    ) ?? [];
  const der = decodeBase64(base64);
  if (der === undefined || der.length === 0) {
    throw new InvalidCertificateError("Expected a certificate as PEM.");
  }
  return der;
}

const integer = 0x02;
const sequence = 0x30;
const version = 0xa0;

/** The SubjectPublicKeyInfo, RFC 5280 §4.1. */
function readPublicKey(
  certificate: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const [whole] = readDer(certificate);
  const [signedPart] = readDer(expect(whole, sequence).content);
  const fields = readDer(expect(signedPart, sequence).content);
  // The version is left out in certificates of version 1.
  const [serial, , , , , publicKey] =
    fields[0]?.tag === version ? fields.slice(1) : fields;
  expect(serial, integer);
  return expect(publicKey, sequence).bytes;
}

function expect(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag === tag) return element;
  throw new InvalidCertificateError("The certificate has not the form of one.");
}
