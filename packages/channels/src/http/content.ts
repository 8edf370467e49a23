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
import type { RequestMemory } from "../http-client/connection.ts";
import { headerLines, requestHead } from "../http-client/request-bytes.ts";
import type { Links } from "../links.ts";
import type { RequestTarget } from "../request-target.ts";
import { type SignedFields, stringToSign } from "./signature.ts";
import type { Signer } from "./signing-key.ts";

/** A message in one of its texts, signed; recipients are filled in. */
export interface RequestTemplate {
  readonly type: MessageType;
  readonly topicUrn: string;
  /** It is for an endpoint that is no subscription's. */
  readonly isDirect: boolean;
  /**
   * The headers that are the same for all, and the JSON. A notification's ends
   * where the id of the subscription goes into the link that ends it.
   */
  readonly bytes: Buffer;
  /** Bytes of the JSON. */
  readonly bodyLength: number;
}

type MessageType =
  | "SubscriptionConfirmation"
  | "Notification"
  | "UnsubscribeConfirmation";

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
  const headers = headerLines({
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Carillon",
    "x-smn-message-type": type,
    "x-smn-message-id": message.id,
    "x-smn-topic-urn": topic.urn,
  });
  const isDirect = message.audience === "direct";
  const hasLink = type === "Notification" && !isDirect;
  const body = hasLink ? cutAtLink(json, links, topic) : json;
  return {
    type,
    topicUrn: topic.urn,
    isDirect,
    bytes: Buffer.from(`${headers}\r\n${body}`),
    bodyLength: Buffer.byteLength(body),
  };
}

/** Who a request goes to. */
export interface RequestRecipient {
  /** Absent for a direct message only. */
  readonly subscriptionId: SubscriptionId | undefined;
  readonly extension: SubscriptionExtension | undefined;
  readonly endpoint: string;
  readonly target: RequestTarget;
}

/**
 * A request as it goes on the wire. On the hot path, hence no JSON and no
 * encoding: what is a recipient's own stands around what is the same for all.
 *
 * @throws InvalidHeaderError
 */
export function writeRequest(
  template: RequestTemplate,
  { subscriptionId, extension, target }: RequestRecipient,
  authority: string,
  memory: RequestMemory,
): Buffer {
  const { type, bytes, bodyLength, isDirect } = template;
  const isNotification = type === "Notification" && !isDirect;
  const tail = isNotification ? `${subscriptionId}"}` : "";
  let head = requestHead("POST", authority, target, bodyLength + tail.length);
  if (type !== "SubscriptionConfirmation" && !isDirect) {
    head += `x-smn-subscription-urn: ${template.topicUrn}:${subscriptionId}\r\n`;
  }
  if (isNotification && extension?.header !== undefined) {
    head += headerLines(extension.header);
  }
  const request = memory.reserve(head.length + bytes.length + tail.length);
  request.write(head, 0, "latin1");
  request.set(bytes, head.length);
  request.write(tail, head.length + bytes.length, "latin1");
  return request;
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
    case "event":
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
    case "event":
      return "Notification";
    case "confirmation":
      return "SubscriptionConfirmation";
    case "unsubscription":
      return "UnsubscribeConfirmation";
    default:
      return content satisfies never;
  }
}
