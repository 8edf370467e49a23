/**
 * Separates real notifications from what anyone can post to a receiver's URL. A
 * valid signature says that the service sent this text, not that it is new:
 * receivers drop repeats by `messageId`.
 */

import { decodeBase64 } from "../encoding.ts";
import { InvalidOptionsError, NotificationError } from "../errors.ts";
import { createSignatureCheck } from "./certificate.ts";
import type { FetchCertificate } from "./certificate-fetcher.ts";
import {
  type NotificationBody,
  parseNotification,
  type ReceivedMessage,
  type UnverifiedMessage,
} from "./notification.ts";
import { markVerified } from "./verified.ts";

/** Where the signing certificate comes from, and what else must hold. */
export type VerifyOptions = CertificateSource & {
  /**
   * The topics that are expected. In a shared cloud anyone's topic has a valid
   * signature, so list yours. Default: any topic.
   */
  readonly topicUrns?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
};

type CertificateSource =
  | {
      /** The service's certificate as PEM, whatever the body names. */
      readonly certificate: string;
      readonly fetchCertificate?: undefined;
    }
  | {
      /**
       * Gets the certificate that the body names. The body is not verified
       * yet, so its URL may lead anywhere: use what `createCertificateFetcher`
       * makes, or check the URL as it does.
       */
      readonly fetchCertificate: FetchCertificate;
      readonly certificate?: undefined;
    };

/**
 * Resolves with the content of a body that the service signed.
 *
 * @throws NotificationError, which calls for a 403: trying again is useless
 * @throws CertificateRefusedError, the same
 * @throws CertificateUnavailableError, which calls for a 503: the service
 *   sends the notification again
 * @throws InvalidCertificateError
 */
export async function verifyNotification(
  body: NotificationBody,
  options: VerifyOptions,
): Promise<ReceivedMessage> {
  const message = parseNotification(body);
  const { content } = message;
  const { topicUrn = "no topic" } = content;
  if (options.topicUrns && !options.topicUrns.includes(topicUrn)) {
    throw new NotificationError(
      `The message is about ${topicUrn}, which is not an expected topic.`,
      "unexpected-topic",
    );
  }
  if (!(await isSigned(message, await getCertificate(message, options)))) {
    throw new NotificationError(
      `The signature of message ${content.messageId} is not valid.`,
      "bad-signature",
    );
  }
  markVerified(content);
  return content;
}

async function getCertificate(
  message: UnverifiedMessage,
  { certificate, fetchCertificate, signal }: VerifyOptions,
): Promise<string> {
  if (certificate !== undefined) return certificate;
  if (fetchCertificate !== undefined) {
    return fetchCertificate(message.signingCertUrl, { signal });
  }
  // Reached from JavaScript only.
  throw new InvalidOptionsError("Expected certificate or fetchCertificate.");
}

async function isSigned(
  message: UnverifiedMessage,
  certificate: string,
): Promise<boolean> {
  const check = await createSignatureCheck(certificate);
  const signature = decodeBase64(message.signature);
  if (signature === undefined) return false;
  const utf8 = new TextEncoder();
  for (const text of message.signedTexts) {
    if (await check(signature, utf8.encode(text))) return true;
  }
  return false;
}
