/**
 * Writes the requests of a message: body and headers, once for all recipients
 * but for what differs. Wire: one JSON object, the same facts in the headers.
 */

import {
  confirmationLifetimeMs,
  type Message,
  type MessageContent,
  type MessageTopic,
  type SubscriptionExtension,
  type SubscriptionId,
} from "@carillon/core";
import type { Links } from "../links.ts";
import type { BodyMemory } from "./connection-pool.ts";
import { type SignedFields, stringToSign } from "./signature.ts";
import type { Signer } from "./signing-key.ts";

/** A message in one of its texts, signed; recipients are filled in. */
export interface RequestTemplate {
  readonly type: MessageType;
  readonly topicUrn: string;
  /**
   * The JSON. A notification's ends where the id of the subscription goes into
   * the link that ends it.
   */
  readonly body: Buffer;
  readonly headers: readonly string[];
}

type MessageType =
  | "SubscriptionConfirmation"
  | "Notification"
  | "UnsubscribeConfirmation";

/** The recipient's own part of a request. */
export interface RequestContent {
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer;
}

/** @param text the message's text for the protocol; see {@link textFor} */
export async function createRequestTemplate(
  message: Message,
  topic: MessageTopic,
  text: string,
  signer: Signer,
  links: Links,
): Promise<RequestTemplate> {
  const { content } = message;
  const type = typeOf(content);
  // Lone surrogates have no UTF-8 form, so no two verifiers would agree.
  const fields: SignedFields = {
    message: text.toWellFormed(),
    message_id: message.id,
    ...(message.subject &&
      type === "Notification" && { subject: message.subject.toWellFormed() }),
    ...("token" in content && {
      subscribe_url: links.subscribe(content.token, topic.urn),
    }),
    timestamp: `${new Date(message.createdAt).toISOString().slice(0, 19)}Z`,
    topic_urn: topic.urn,
    type,
  };
  const { signature, certificateId } = await signer.sign(stringToSign(fields));
  const json = JSON.stringify({
    ...fields,
    signature,
    signature_version: "v1",
    signing_cert_url: links.certificate(certificateId),
  });
  return {
    type,
    topicUrn: topic.urn,
    body: Buffer.from(
      type === "Notification" ? cutAtLink(json, links, topic) : json,
    ),
    headers: [
      "content-type",
      "application/json; charset=utf-8",
      "user-agent",
      "Carillon",
      "x-smn-message-type",
      type,
      "x-smn-message-id",
      message.id,
      "x-smn-topic-urn",
      topic.urn,
    ],
  };
}

/** The part per recipient; on the hot path, hence no JSON and no encoding. */
export function fillIn(
  template: RequestTemplate,
  subscriptionId: SubscriptionId,
  extension: SubscriptionExtension | undefined,
  memory: BodyMemory,
): RequestContent {
  const headers = template.headers.slice();
  if (template.type !== "SubscriptionConfirmation") {
    headers.push(
      "x-smn-subscription-urn",
      `${template.topicUrn}:${subscriptionId}`,
    );
  }
  if (template.type !== "Notification") {
    return { headers, body: template.body };
  }
  if (extension?.header !== undefined) {
    for (const name in extension.header) {
      headers.push(name, extension.header[name] ?? "");
    }
  }
  const cut = template.body.length;
  const body = memory.reserve(cut + subscriptionId.length + 2);
  body.set(template.body);
  body.write(`${subscriptionId}"}`, cut, "latin1");
  return { headers, body };
}

/** Confirmations and unsubscribe notices have a text of ours. */
export function textFor(
  content: MessageContent,
  published: string,
  topic: MessageTopic,
): string {
  switch (content.kind) {
    case "text":
    case "structure":
      return published;
    case "confirmation":
      return `You are invited to subscribe to the topic ${topic.urn}. To confirm, open subscribe_url within ${linkHours} hours.`;
    case "unsubscription":
      return `This endpoint is unsubscribed from the topic ${topic.urn}. To subscribe again, open subscribe_url within ${linkHours} hours.`;
    default:
      return content satisfies never;
  }
}

/** Adds the unsubscribe link as last member, and cuts where the id goes. */
function cutAtLink(json: string, links: Links, topic: MessageTopic): string {
  const link = JSON.stringify(links.unsubscribePrefix(topic.urn));
  return `${json.slice(0, -1)},"unsubscribe_url":${link.slice(0, -1)}`;
}

const linkHours = confirmationLifetimeMs / 3_600_000;

function typeOf(content: MessageContent): MessageType {
  switch (content.kind) {
    case "text":
    case "structure":
      return "Notification";
    case "confirmation":
      return "SubscriptionConfirmation";
    case "unsubscription":
      return "UnsubscribeConfirmation";
    default:
      return content satisfies never;
  }
}
