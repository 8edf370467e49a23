/**
 * SMN's signature of http and https messages, version v1: RSASSA-PKCS1-v1_5
 * with SHA-256 over the fields a receiver acts on.
 */

import { type KeyObject, sign, verify } from "node:crypto";

/** The signed fields of a message body, as they stand in the JSON. */
export interface SignedFields {
  readonly message: string;
  readonly message_id: string;
  readonly subject?: string;
  readonly subscribe_url?: string;
  readonly timestamp: string;
  /** Absent where the message names its recipients itself. */
  readonly topic_urn?: string;
  readonly type: string;
}

const algorithm = "RSA-SHA256";

/** In the order in which they are signed, which is alphabetical. */
const signedFields = [
  "message",
  "message_id",
  "subject",
  "subscribe_url",
  "timestamp",
  "topic_urn",
  "type",
] as const satisfies readonly (keyof SignedFields)[];

/** Name and value of each field that is there, each on a line of its own. */
export function stringToSign(fields: SignedFields): string {
  let text = "";
  for (const name of signedFields) {
    const value = fields[name];
    if (value !== undefined) text += `${name}\n${value}\n`;
  }
  return text;
}

/** RSASSA-PKCS1-v1_5 with SHA-256; answers base64 with padding. */
export function signText(text: string, key: KeyObject): string {
  return sign(algorithm, Buffer.from(text), key).toString("base64");
}

/** What a receiver does: checks a body's signature with the certificate's key. */
export function verifyFields(
  fields: SignedFields,
  signature: string,
  publicKey: KeyObject,
): boolean {
  return verify(
    algorithm,
    Buffer.from(stringToSign(fields)),
    publicKey,
    Buffer.from(signature, "base64"),
  );
}
