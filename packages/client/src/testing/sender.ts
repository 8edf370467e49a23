/** A stand-in for the service that signs notifications, with its certificate. */

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface Sender {
  /** PEM. */
  readonly certificate: string;
  /** The body with `signature` and the other fields that belong to it. */
  sign(fields: Readonly<Record<string, string>>): Record<string, string>;
}

export interface SenderOptions {
  readonly signingCertUrl?: string;
  /** 1 or 3, of the certificate. */
  readonly version?: 1 | 3;
}

export function createSender(options: SenderOptions = {}): Sender {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
  });
  const { signingCertUrl = "https://smn.example.test/smn/SMN_x.pem" } = options;
  return {
    certificate: createCertificate(publicKey, options.version ?? 3),
    sign: (fields) => ({
      ...fields,
      signature: sign(
        "RSA-SHA256",
        Buffer.from(textOf(fields)),
        privateKey,
      ).toString("base64"),
      signature_version: "v1",
      signing_cert_url: signingCertUrl,
    }),
  };
}

/** The fields of a notification, ready to be signed. */
export function notificationFields(
  fields: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    type: "Notification",
    message_id: "0123456789abcdef0123456789abcdef",
    topic_urn: "urn:smn:eu-de:0f3c5d1e2a4b46788899aabbccddeeff:alerts",
    message: "Disk is full ü\n{}",
    timestamp: "2026-01-15T08:30:00Z",
    ...fields,
  };
}

export function confirmationFields(
  subscribeUrl: string,
): Record<string, string> {
  return notificationFields({
    type: "SubscriptionConfirmation",
    message: "You are invited",
    subscribe_url: subscribeUrl,
  });
}

const signedNames = new Set([
  "message",
  "message_id",
  "subject",
  "subscribe_url",
  "timestamp",
  "topic_urn",
  "type",
]);

function textOf(fields: Readonly<Record<string, string>>): string {
  return Object.keys(fields)
    .filter((name) => signedNames.has(name))
    .sort()
    .map((name) => `${name}\n${fields[name]}\n`)
    .join("");
}

/** As much of a certificate as has a form; its own signature is nonsense. */
function createCertificate(publicKey: KeyObject, version: 1 | 3): string {
  const spki = publicKey.export({ type: "spki", format: "der" });
  const empty = der(0x30);
  const body = der(
    0x30,
    ...(version === 3 ? [der(0xa0, der(0x02, Buffer.of(2)))] : []),
    der(0x02, Buffer.of(1)),
    empty,
    empty,
    empty,
    empty,
    spki,
  );
  const certificate = der(0x30, body, empty, der(0x03, Buffer.of(0)));
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  const { length } = value;
  const header =
    length < 0x80
      ? [tag, length]
      : [tag, 0x82, Math.floor(length / 256), length % 256];
  return Buffer.concat([Buffer.from(header), value]);
}
