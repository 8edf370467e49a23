/**
 * What SNS calls an HTTPS subscriber with: a JSON object that is signed over
 * its fields. Source: "Parsing message formats" and "Verifying the signatures
 * of Amazon SNS messages".
 */

import { asObject, type JsonObject } from "../../carrier-answer.ts";
import { MalformedRequestError } from "../../receiver.ts";
import { snsOrigin } from "./config.ts";
import type { SigningHash } from "./signing-certificate.ts";

const confirmation = [
  "Message",
  "MessageId",
  "SubscribeURL",
  "Timestamp",
  "Token",
  "TopicArn",
  "Type",
] as const;

/** What is signed, in this order. */
const signedFields = {
  Notification: [
    "Message",
    "MessageId",
    // Where there is one.
    "Subject",
    "Timestamp",
    "TopicArn",
    "Type",
  ],
  SubscriptionConfirmation: confirmation,
  UnsubscribeConfirmation: confirmation,
} as const;

export type SnsMessageType = keyof typeof signedFields;

/** A message whose signature was not looked at yet. */
export interface SnsMessage {
  readonly type: SnsMessageType;
  readonly messageId: string;
  readonly topicArn: string;
  readonly message: string;
  readonly timestamp: string;
  /** Of the two confirmations; empty otherwise. */
  readonly subscribeUrl: string;
  readonly token: string;
  /** What the signature covers. */
  readonly signedText: string;
  readonly signature: string;
  /** `undefined`: a version that nobody knows. */
  readonly hash: SigningHash | undefined;
  /** Not checked. */
  readonly certificateUrl: string;
}

/** @throws MalformedRequestError */
export function parseSnsMessage(octets: Uint8Array): SnsMessage {
  const given = parseObject(octets);
  const type = given.Type;
  if (!isMessageType(type)) throw new MalformedRequestError("Type is unknown");
  const fields = new Map<string, string>();
  for (const name of signedFields[type]) {
    if (name === "Subject" && given.Subject == null) continue;
    fields.set(name, requiredText(given, name));
  }
  const field = (name: string): string => fields.get(name) ?? "";
  return {
    type,
    messageId: field("MessageId"),
    topicArn: field("TopicArn"),
    message: field("Message"),
    timestamp: field("Timestamp"),
    subscribeUrl: field("SubscribeURL"),
    token: field("Token"),
    signedText: [...fields]
      .flat()
      .map((it) => `${it}\n`)
      .join(""),
    signature: textIn(given, "Signature"),
    hash: hashes.get(textIn(given, "SignatureVersion")),
    certificateUrl: textIn(given, "SigningCertURL"),
  };
}

const hashes: ReadonlyMap<string, SigningHash> = new Map([
  ["1", "SHA-1"],
  ["2", "SHA-256"],
]);

const certificateUrl = new RegExp(`^${snsOrigin}/[\\w./-]+\\.pem$`);

/**
 * Whether an address is one of certificates of SNS: its host shows that they
 * are. Without a port, a user or a query.
 */
export function isCertificateUrl(url: string): boolean {
  return certificateUrl.test(url);
}

const confirmationUrl = new RegExp(`^${snsOrigin}/\\?[!-~]+$`);

/** Whether to get the address is to confirm this subscription, and no more. */
export function isConfirmationUrl(
  url: string,
  { topicArn, token }: Pick<SnsMessage, "topicArn" | "token">,
): boolean {
  if (!confirmationUrl.test(url)) return false;
  const { searchParams: query } = new URL(url);
  return (
    query.getAll("Action").join() === "ConfirmSubscription" &&
    query.getAll("TopicArn").join() === topicArn &&
    query.getAll("Token").join() === token
  );
}

/** A text from a phone, as a two-way number publishes it. */
export interface SnsText {
  readonly from: string;
  readonly to: string | undefined;
  readonly body: string;
  readonly id: string | undefined;
  /** First word of the text, where it is one the account has set up. */
  readonly keyword: string | undefined;
  /** Id of our text that it answers. */
  readonly inReplyTo: string | undefined;
}

/** @throws MalformedRequestError for what somebody else published */
export function parseSnsText(message: string): SnsText {
  const given = parseJson(message);
  const { originationNumber: from, messageBody: body } = given;
  if (typeof from !== "string" || from === "" || typeof body !== "string") {
    throw new MalformedRequestError(
      "Message is no text from a phone: originationNumber and messageBody are needed",
    );
  }
  const find = (name: string) => textIn(given, name) || undefined;
  return {
    from,
    body,
    to: find("destinationNumber"),
    id: find("inboundMessageId"),
    keyword: find("messageKeyword"),
    inReplyTo: find("previousPublishedMessageId"),
  };
}

function parseObject(octets: Uint8Array): JsonObject {
  return parseJson(new TextDecoder().decode(octets));
}

function parseJson(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MalformedRequestError("JSON is needed", { cause });
  }
  const object = asObject(value);
  if (object) return object;
  throw new MalformedRequestError("A JSON object is needed");
}

function isMessageType(value: unknown): value is SnsMessageType {
  return typeof value === "string" && Object.hasOwn(signedFields, value);
}

/**
 * Only the message may have lines: what is signed is lines, and others in them
 * could be told to be fields.
 */
function requiredText(given: JsonObject, name: string): string {
  const value = given[name];
  if (typeof value !== "string") {
    throw new MalformedRequestError(`${name} is needed`);
  }
  if (name === "Message" || (value !== "" && !value.includes("\n"))) {
    return value;
  }
  throw new MalformedRequestError(`${name} is wrong`);
}

/** Empty where there is none. */
function textIn(given: JsonObject, name: string): string {
  const value = given[name];
  return typeof value === "string" ? value : "";
}
