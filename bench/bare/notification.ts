/**
 * What a rival sends: headers and body as Carillon's http deliveries have them,
 * and the same signature.
 */

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Publish } from "../carillon.ts";

export interface Notification {
  readonly messageId: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const signInPool: (
  algorithm: string,
  data: Buffer,
  key: KeyObject,
) => Promise<Buffer> = promisify(sign);

/** Writes and signs a message, in the thread pool as Carillon does. */
export class NotificationWriter {
  readonly #key = generateKeyPairSync("rsa", { modulusLength: 2048 });

  async write(topicUrn: string, publish: Publish): Promise<Notification> {
    const messageId = newId();
    // In the order in which they are signed.
    const fields = {
      message: publish.message,
      message_id: messageId,
      subject: publish.subject,
      timestamp: `${new Date().toISOString().slice(0, 19)}Z`,
      topic_urn: topicUrn,
      type: "Notification",
    };
    const text = Object.entries(fields)
      .map(([name, value]) => `${name}\n${value}\n`)
      .join("");
    const signature = await signInPool(
      "RSA-SHA256",
      Buffer.from(text),
      this.#key.privateKey,
    );
    const subscriptionUrn = `${topicUrn}:${messageId}`;
    const body = JSON.stringify({
      ...fields,
      signature: signature.toString("base64"),
      signature_version: "v1",
      signing_cert_url: `http://127.0.0.1:7070/smn/SMN_local_${messageId}.pem`,
      unsubscribe_url: `http://127.0.0.1:7070/smn/subscription/unsubscribe?region=local&region_id=local&subscription_urn=${subscriptionUrn}`,
    });
    return {
      messageId,
      headers: [
        "content-type",
        "application/json; charset=utf-8",
        "user-agent",
        "Bare",
        "x-smn-message-type",
        "Notification",
        "x-smn-message-id",
        messageId,
        "x-smn-topic-urn",
        topicUrn,
        "x-smn-subscription-urn",
        subscriptionUrn,
      ],
      body: Buffer.from(body),
    };
  }
}

export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
