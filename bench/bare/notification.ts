/**
 * What a rival sends: headers and body as Carillon's http deliveries have them,
 * and the same signature.
 */

import {
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
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

/** `rsa` as SMN does, `hmac` as Standard Webhooks says. */
export type BareSignature = "rsa" | "hmac";

/** Writes and signs a message, with RSA in the thread pool as Carillon does. */
export class NotificationWriter {
  readonly #rsa: KeyObject | undefined;
  readonly #hmac = createSecretKey(randomBytes(32));

  constructor(signature: BareSignature = "rsa") {
    this.#rsa =
      signature === "rsa"
        ? generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
        : undefined;
  }

  async write(topicUrn: string, publish: Publish): Promise<Notification> {
    const fields = fieldsOf(topicUrn, publish);
    return this.#rsa === undefined
      ? this.#writeWithHmac(fields)
      : this.#writeWithRsa(fields, this.#rsa);
  }

  async #writeWithRsa(fields: Fields, key: KeyObject): Promise<Notification> {
    const text = Object.entries(fields)
      .map(([name, value]) => `${name}\n${value}\n`)
      .join("");
    const signature = await signInPool("RSA-SHA256", Buffer.from(text), key);
    const body = JSON.stringify({
      ...fields,
      signature: signature.toString("base64"),
      signature_version: "v1",
      signing_cert_url: `http://127.0.0.1:7070/smn/SMN_local_${fields.message_id}.pem`,
      unsubscribe_url: unsubscribeUrlOf(fields),
    });
    return toNotification(fields, Buffer.from(body), []);
  }

  #writeWithHmac(fields: Fields): Notification {
    const unsubscribe_url = unsubscribeUrlOf(fields);
    const body = Buffer.from(JSON.stringify({ ...fields, unsubscribe_url }));
    const { message_id: id } = fields;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac("sha256", this.#hmac)
      .update(`${id}.${timestamp}.`)
      .update(body)
      .digest("base64");
    return toNotification(fields, body, [
      ...["webhook-id", id],
      ...["webhook-timestamp", timestamp],
      ...["webhook-signature", `v1,${signature}`],
    ]);
  }
}

/** In the order in which they are signed. */
interface Fields {
  readonly message: string;
  readonly message_id: string;
  readonly subject: string;
  readonly timestamp: string;
  readonly topic_urn: string;
  readonly type: "Notification";
}

function fieldsOf(topicUrn: string, publish: Publish): Fields {
  return {
    message: publish.message,
    message_id: newId(),
    subject: publish.subject,
    timestamp: `${new Date().toISOString().slice(0, 19)}Z`,
    topic_urn: topicUrn,
    type: "Notification",
  };
}

function unsubscribeUrlOf({ topic_urn, message_id }: Fields): string {
  return `http://127.0.0.1:7070/smn/subscription/unsubscribe?region=local&region_id=local&subscription_urn=${topic_urn}:${message_id}`;
}

function toNotification(
  { topic_urn, message_id }: Fields,
  body: Buffer,
  signatureHeaders: readonly string[],
): Notification {
  return {
    messageId: message_id,
    headers: [
      "content-type",
      "application/json; charset=utf-8",
      "user-agent",
      "Bare",
      "x-smn-message-type",
      "Notification",
      "x-smn-message-id",
      message_id,
      "x-smn-topic-urn",
      topic_urn,
      "x-smn-subscription-urn",
      `${topic_urn}:${message_id}`,
      ...signatureHeaders,
    ],
    body,
  };
}

export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
