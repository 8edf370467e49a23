/** What SMN posts to http and https subscribers, and which part is signed. */

import { NotificationError } from "../errors.ts";
import { findText, isObject, type JsonObject } from "../json.ts";

/** A request's body: bytes, text, or JSON that is parsed already. */
export type NotificationBody = string | Uint8Array | object;

/** A verified message; `type` says which. */
export type ReceivedMessage =
  | Notification
  | SubscriptionConfirmation
  | UnsubscribeConfirmation;

interface MessageFields {
  /** The same on each delivery of a message: receivers drop repeats by it. */
  readonly messageId: string;
  readonly message: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SSZ`; of the first attempt. */
  readonly timestamp: string;
}

/** Something was published to the topic. */
export interface Notification extends MessageFields {
  readonly type: "Notification";
  /** Absent where the message was sent to this endpoint without a topic. */
  readonly topicUrn: string | undefined;
  readonly subject: string | undefined;
  /** Not signed: do not fetch it without checking where it leads. */
  readonly unsubscribeUrl: string | undefined;
}

/** Someone subscribed the endpoint: see `confirmSubscription`. */
export interface SubscriptionConfirmation extends MessageFields {
  readonly type: "SubscriptionConfirmation";
  readonly topicUrn: string;
  readonly subscribeUrl: string;
}

/** The endpoint was unsubscribed; confirming subscribes it again. */
export interface UnsubscribeConfirmation extends MessageFields {
  readonly type: "UnsubscribeConfirmation";
  readonly topicUrn: string;
  readonly subscribeUrl: string;
}

/** A body that has the form of a message; nothing of it is verified. */
export interface UnverifiedMessage {
  readonly content: ReceivedMessage;
  readonly signature: string;
  /** Empty when there is none. */
  readonly signingCertUrl: string;
  /** Possible texts that were signed; more than one only in an odd case. */
  readonly signedTexts: readonly string[];
}

/** @throws NotificationError */
export function parseNotification(body: NotificationBody): UnverifiedMessage {
  const fields = toFields(body);
  const version = readField(fields, "signature_version");
  if (version.toLowerCase() !== "v1") {
    throw new NotificationError(
      `Expected signature version v1, got "${version.slice(0, 20)}".`,
      "unknown-version",
    );
  }
  return {
    content: toContent(fields),
    signature: readField(fields, "signature"),
    signingCertUrl: findText(fields, "signing_cert_url") ?? "",
    signedTexts: signedTexts(fields),
  };
}

/**
 * The content of a body whose signature stands elsewhere.
 *
 * @throws NotificationError
 */
export function parseContent(body: NotificationBody): ReceivedMessage {
  return toContent(toFields(body));
}

function toFields(body: NotificationBody): JsonObject {
  const value = typeof body === "string" ? parse(body) : body;
  if (value instanceof Uint8Array) return toFields(decode(value));
  if (isObject(value)) return value;
  throw malformed("Expected a JSON object.");
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw malformed("Expected the body to be UTF-8.", cause);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed("Expected the body to be JSON.", cause);
  }
}

function toContent(fields: JsonObject): ReceivedMessage {
  const common: MessageFields = {
    messageId: readLine(fields, "message_id"),
    message: readField(fields, "message"),
    timestamp: readLine(fields, "timestamp"),
  };
  const type = readField(fields, "type");
  switch (type) {
    case "Notification":
      return {
        type,
        ...common,
        topicUrn:
          fields.topic_urn === undefined
            ? undefined
            : readLine(fields, "topic_urn"),
        subject: findText(fields, "subject"),
        unsubscribeUrl: findText(fields, "unsubscribe_url"),
      };
    case "SubscriptionConfirmation":
    case "UnsubscribeConfirmation":
      return {
        type,
        ...common,
        topicUrn: readLine(fields, "topic_urn"),
        subscribeUrl: readLine(fields, "subscribe_url"),
      };
    default:
      throw malformed(`Messages of type "${type.slice(0, 50)}" are not known.`);
  }
}

const signedFields = {
  Notification: ["message", "message_id", "subject"],
  SubscriptionConfirmation: ["message", "message_id", "subscribe_url"],
  UnsubscribeConfirmation: ["message", "message_id", "subscribe_url"],
} as const satisfies Record<ReceivedMessage["type"], readonly string[]>;

/** Name and value of each signed field that is there, each on its own line. */
function signedTexts(fields: JsonObject): string[] {
  const { type } = toContent(fields);
  const names = [...signedFields[type], "timestamp", "topic_urn", "type"];
  const present = names.filter((name) => findText(fields, name) !== undefined);
  const texts = [toLines(fields, present)];
  if (fields.subject === "") {
    // Senders do not agree on whether an empty subject counts as one.
    const without = present.filter((name) => name !== "subject");
    texts.push(toLines(fields, without));
  }
  return texts;
}

function toLines(fields: JsonObject, names: readonly string[]): string {
  return names.map((name) => `${name}\n${fields[name]}\n`).join("");
}

function readField(fields: JsonObject, name: string): string {
  const value = findText(fields, name);
  if (value === undefined) throw malformed(`Expected a text "${name}".`);
  return value;
}

/**
 * A line break here could make the signed text of one message that of another
 * message with its fields cut differently.
 */
function readLine(fields: JsonObject, name: string): string {
  const value = readField(fields, name);
  if (value === "" || value.includes("\n")) {
    throw malformed(`Expected "${name}" to be one line.`);
  }
  return value;
}

function malformed(message: string, cause?: unknown): NotificationError {
  return new NotificationError(message, "malformed", { cause });
}
