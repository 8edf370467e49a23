/** Publishing to a topic, and single text messages to a phone. */

import type { Api } from "../api.ts";
import { InvalidOptionsError } from "../errors.ts";
import { type JsonObject, readText } from "../json.ts";
import type { HttpAnswer, PublishOptions } from "../transport.ts";
import type { TopicReference } from "./references.ts";
import { resolveTopicUrn, topicsPath } from "./topics.ts";

/** A message, with its content in one of three forms. */
export type NewMessage = MessageContent & MessageSettings;

type MessageContent =
  | {
      /** The same text for everyone. */
      readonly message: string;
      readonly messageStructure?: undefined;
      readonly messageTemplateName?: undefined;
    }
  | {
      /** A text for each protocol, as an object or as its JSON. */
      readonly messageStructure: MessageStructure | string;
      readonly message?: undefined;
      readonly messageTemplateName?: undefined;
    }
  | {
      readonly messageTemplateName: string;
      /** Values of the template's tags; one that is missing is empty. */
      readonly tags?: Readonly<Record<string, string>> | undefined;
      readonly message?: undefined;
      readonly messageStructure?: undefined;
    };

/** A message's text by protocol. */
export interface MessageStructure {
  /** For protocols that have no text of their own. */
  readonly default: string;
  readonly [protocol: string]: string;
}

export interface MessageSettings {
  /** Of e-mails. */
  readonly subject?: string | undefined;
  /** Seconds after which delivery is given up. Default: the service's, by protocol. */
  readonly timeToLive?: number | string | undefined;
  /** What filter policies look at. */
  readonly messageAttributes?: readonly MessageAttribute[] | undefined;
  /** Language of what the service adds, such as `en-us`. */
  readonly locale?: string | undefined;
}

/** An attribute that filter policies of subscriptions look at. */
export type MessageAttribute =
  | {
      readonly name: string;
      readonly type: "STRING";
      readonly value: string;
    }
  | {
      readonly name: string;
      /** `PROTOCOL`: only subscriptions of these protocols get the message. */
      readonly type: "STRING_ARRAY" | "PROTOCOL";
      readonly value: readonly string[];
    };

/** A message that the service has accepted. */
export interface PublishedMessage {
  /** Receivers see it, and recognise a message that comes twice by it. */
  readonly messageId: string;
  readonly requestId: string | undefined;
}

/** Publishes messages and sends single texts. */
export interface MessageOperations {
  /**
   * Publishes to a topic, given by URN, by name (which costs a search) or as
   * an object. Resolves when the service has accepted the message. When no
   * answer comes, it may have been published: it is not sent again unless
   * `retryNonIdempotent` or an `idempotencyKey` is set, which Carillon heeds and
   * other services do not.
   */
  publishMessage(
    topic: TopicReference,
    message: NewMessage,
    options?: PublishOptions,
  ): Promise<PublishedMessage>;
  /** Sends one SMS, repeated no more than a publication is. */
  sendSms(
    /** Phone number with country code, such as `+4915112345678`. */
    endpoint: string,
    message: string,
    options?: PublishOptions,
  ): Promise<PublishedMessage>;
}

export function createMessageOperations(api: Api): MessageOperations {
  return {
    async publishMessage(topic, message, options) {
      const body = toBody(message);
      const topicUrn = await resolveTopicUrn(api, topic, options);
      const path = [...topicsPath, topicUrn, "publish"];
      const { idempotencyKey } = options ?? {};
      const request = { method: "POST", path, body, idempotencyKey } as const;
      return toPublished(await api(request, options));
    },

    async sendSms(endpoint, message, options) {
      const path = ["notifications", "sms"];
      const body = { endpoint, message };
      const { idempotencyKey } = options ?? {};
      const request = { method: "POST", path, body, idempotencyKey } as const;
      return toPublished(await api(request, options));
    },
  };
}

function toBody(message: NewMessage): JsonObject {
  const { timeToLive } = message;
  return {
    subject: message.subject,
    ...toContent(message),
    // SMN wants digits as text.
    time_to_live: timeToLive === undefined ? undefined : String(timeToLive),
    message_attributes: message.messageAttributes,
    locale: message.locale,
  };
}

function toContent(message: NewMessage): JsonObject {
  if (message.messageStructure !== undefined) {
    const structure = message.messageStructure;
    return {
      message_structure:
        typeof structure === "string" ? structure : JSON.stringify(structure),
    };
  }
  if (message.messageTemplateName !== undefined) {
    return {
      message_template_name: message.messageTemplateName,
      tags: message.tags ?? {},
    };
  }
  if (message.message !== undefined) return { message: message.message };
  // Reached from JavaScript only.
  throw new InvalidOptionsError(
    "Expected message, messageStructure or messageTemplateName.",
  );
}

function toPublished(answer: HttpAnswer): PublishedMessage {
  return {
    messageId: readText(answer.body, "message_id"),
    requestId: answer.requestId,
  };
}
