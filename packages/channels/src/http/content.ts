/**
 * Writes the requests of a message: body and headers, once for all recipients
 * but for what differs. Wire: one JSON object, the same facts in the headers.
 */

import {
  type Clock,
  confirmationLifetimeMs,
  type Message,
  type MessageContent,
  type MessageTopic,
  type SubscriptionExtension,
  type SubscriptionId,
  type SubscriptionSignature,
} from "@carillon/core";
import type { RequestMemory } from "../http-client/connection.ts";
import { headerLines, requestHead } from "../http-client/request-bytes.ts";
import type { Links } from "../links.ts";
import type { RequestTarget } from "../request-target.ts";
import { type SignedFields, stringToSign } from "./signature.ts";
import type { Signer } from "./signing-key.ts";
import type { WebhookKeys } from "./webhook-keys.ts";

/** A message in one of its texts; recipients are filled in. */
export interface RequestTemplate {
  readonly type: MessageType;
  readonly messageId: string;
  /** Absent for a direct message only. */
  readonly topicUrn?: string;
  /** It is for an endpoint that is no subscription's. */
  readonly isDirect: boolean;
  /**
   * The headers that are the same for all, and the JSON. A notification of a
   * topic ends where the id of the subscription goes into the link that ends it.
   */
  readonly bytes: Buffer;
  /** Bytes of the JSON. */
  readonly bodyLength: number;
}

type MessageType =
  | "SubscriptionConfirmation"
  | "Notification"
  | "UnsubscribeConfirmation";

/** A message in one of its texts. */
export interface MessageText {
  readonly message: Message;
  /** Absent where the message names its recipients itself. */
  readonly topic: MessageTopic | undefined;
  /** For the protocol; see {@link textFor}. */
  readonly text: string;
}

/** Signed as SMN does, with the key that the service has. */
export async function createSignedTemplate(
  content: MessageText,
  signer: Signer,
  links: Links,
): Promise<RequestTemplate> {
  const fields = fieldsOf(content, links);
  const { signature, certificateId } = await signer.sign(stringToSign(fields));
  return createTemplate(content, links, {
    ...fields,
    signature,
    signature_version: "v1",
    signing_cert_url: links.certificate(certificateId),
  });
}

/**
 * The same without the three members of SMN's signature: for recipients whose
 * requests are signed each on its own, or not at all.
 */
export function createUnsignedTemplate(
  content: MessageText,
  links: Links,
): RequestTemplate {
  return createTemplate(content, links, fieldsOf(content, links));
}

function fieldsOf(
  { message, topic, text }: MessageText,
  links: Links,
): SignedFields {
  const { content } = message;
  const type = typeOf(content);
  // Lone surrogates have no UTF-8 form, so no two verifiers would agree.
  return {
    message: text.toWellFormed(),
    message_id: message.id,
    ...(message.subject &&
      type === "Notification" && { subject: message.subject.toWellFormed() }),
    ...(topic &&
      "grant" in content && {
        subscribe_url: links.subscribe(content.grant, topic.urn),
      }),
    timestamp: `${new Date(message.createdAt).toISOString().slice(0, 19)}Z`,
    ...(topic && { topic_urn: topic.urn }),
    type,
  };
}

/** What the JSON says, in its order, but for the link behind it. */
interface BodyMembers extends SignedFields {
  readonly signature?: string;
  readonly signature_version?: "v1";
  readonly signing_cert_url?: string;
}

function createTemplate(
  { message, topic }: MessageText,
  links: Links,
  members: BodyMembers,
): RequestTemplate {
  const type = typeOf(message.content);
  const json = JSON.stringify(members);
  const headers = headerLines({
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Carillon",
    "x-smn-message-type": type,
    "x-smn-message-id": message.id,
    ...(topic && { "x-smn-topic-urn": topic.urn }),
  });
  const isDirect = message.audience === "direct";
  const hasLink = type === "Notification" && topic !== undefined && !isDirect;
  const body = hasLink ? cutAtLink(json, links, topic) : json;
  return {
    type,
    messageId: message.id,
    ...(topic && { topicUrn: topic.urn }),
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
  readonly signature: SubscriptionSignature | undefined;
  readonly endpoint: string;
  readonly target: RequestTarget;
}

/** What requests that are signed each on its own are signed with. */
export interface WebhookSigning {
  readonly webhookKeys: WebhookKeys;
  readonly clock: Clock;
}

/**
 * A request as it goes on the wire. On the hot path, hence no JSON and no
 * encoding: what is a recipient's own stands around what is the same for all.
 *
 * @throws InvalidHeaderError
 */
export function writeRequest(
  template: RequestTemplate,
  { subscriptionId, extension, signature, target }: RequestRecipient,
  authority: string,
  memory: RequestMemory,
  { webhookKeys, clock }: WebhookSigning,
): Buffer {
  const { type, topicUrn, bytes, bodyLength, isDirect } = template;
  const isNotification = type === "Notification";
  const tail = isNotification && !isDirect ? `${subscriptionId}"}` : "";
  let head = requestHead("POST", authority, target, bodyLength + tail.length);
  if (type !== "SubscriptionConfirmation" && !isDirect) {
    head += `x-smn-subscription-urn: ${topicUrn}:${subscriptionId}\r\n`;
  }
  if (isNotification && extension?.header !== undefined) {
    head += headerLines(extension.header);
  }
  if (signature?.scheme === "standard-webhooks" && subscriptionId) {
    head += webhookKeys.headerLines(subscriptionId, signature, {
      messageId: template.messageId,
      // Of this attempt: each is signed anew.
      at: clock.now(),
      body: bytes.subarray(bytes.length - bodyLength),
      tail,
    });
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
    case "mail":
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
    case "mail":
      return "Notification";
    case "confirmation":
      return "SubscriptionConfirmation";
    case "unsubscription":
      return "UnsubscribeConfirmation";
    default:
      return content satisfies never;
  }
}
