/** Messages as they are published over Carillon's own API. */

import type { JsonObject } from "../json.ts";
import type { MessageAttribute } from "../smn/messages.ts";
import { findInstantText, type Instant } from "./instant-text.ts";

/** Who gets a message: subscribers of topics, or recipients of its own. */
export type Audience =
  | {
      readonly kind: "topic";
      readonly topicUrn: string;
    }
  | {
      readonly kind: "topics";
      /**
       * 2 to 10 topics, by name or URN. Who is subscribed to several gets the
       * message once, through the first whose filter policies let it through.
       */
      readonly topics: readonly string[];
    }
  | {
      readonly kind: "direct";
      /** 1 to 1000; one that cannot be used keeps all from being accepted. */
      readonly recipients: readonly DirectRecipient[];
    };

/** One whom a message names itself. */
export interface DirectRecipient {
  /** `sms`, `email`, `http` or `https`. */
  readonly protocol: string;
  readonly endpoint: string;
}

/** An object of the publisher's own system; an integer is its digits. */
export interface RelatedObject {
  readonly type: string;
  readonly id: string | number;
}

/**
 * A message with its audience and its content in one of three forms: what `POST
 * /api/v2/messages` takes. The server refuses what it does not know.
 */
export type MessageToPublish = {
  readonly audience: Audience;
} & PublishContent &
  PublishSettings;

type PublishContent =
  | {
      readonly text: string;
      readonly variants?: undefined;
      readonly template?: undefined;
    }
  | {
      /** Text by protocol; `default` is for the others. */
      readonly variants: Readonly<Record<string, string>>;
      readonly text?: undefined;
      readonly template?: undefined;
    }
  | {
      readonly template: {
        readonly name: string;
        readonly tags?: Readonly<Record<string, string>> | undefined;
      };
      readonly text?: undefined;
      readonly variants?: undefined;
    };

/** What a message may carry besides; all of it is optional. */
export interface PublishSettings {
  /** Of e-mails and webhooks. */
  readonly subject?: string | undefined;
  /** What filter policies look at. */
  readonly attributes?: readonly MessageAttribute[] | undefined;
  /** For all protocols, or by protocol. Default: the service's lives. */
  readonly timeToLiveSeconds?:
    | number
    | Readonly<Record<string, number>>
    | undefined;
  /** No attempt is made before; at most 35 days ahead. */
  readonly notBefore?: Instant | undefined;
  /** Kind of traffic; texts of class `otp` live 10 minutes by default. */
  readonly class?: "otp" | "transactional" | "bulk" | undefined;
  /** A label to find messages by. */
  readonly tag?: string | undefined;
  /** What its texts are sent with; for e-mails and webhooks it means nothing. */
  readonly sms?: SmsOptions | undefined;
  /** 1 is the highest. */
  readonly priority?: 1 | 2 | 3 | undefined;
  /** What the message is about, to find it by; at most 32. */
  readonly relatedObjects?: readonly RelatedObject[] | undefined;
  /** Kept with the message and not delivered; at most 8 KiB. */
  readonly extraData?: JsonObject | undefined;
  /** http or https URL that is told of outcomes. */
  readonly statusUrl?: string | undefined;
}

/** What the texts of a message are sent with; all of it is optional. */
export interface SmsOptions {
  /**
   * Sender ID: a name of up to 11 characters, or a number of 3 to 15 digits with
   * or without a plus. Default: the provider's.
   */
  readonly sender?: string | undefined;
  /** A configured provider: the texts go through it and through no other. */
  readonly provider?: string | undefined;
  /**
   * How long the carrier may try, in minutes, 1 to 10,080. Never longer than what
   * is left of the text's life, which is also the default.
   */
  readonly validityMinutes?: number | undefined;
  /** Replies are welcome. Default true. */
  readonly allowReply?: boolean | undefined;
  /** High priority at the carrier: faster, and dearer. Default false. */
  readonly escalate?: boolean | undefined;
  /** Ask for delivery receipts. Default: as the service is set up. */
  readonly statusReport?: boolean | undefined;
  /** Raw parameters for the provider; neither recipient nor text. */
  readonly params?: JsonObject | undefined;
}

/** @throws InvalidOptionsError for a date that is none */
export function toPublishBody(message: MessageToPublish): JsonObject {
  const notBefore = findInstantText("notBefore", message.notBefore);
  return { ...message, notBefore };
}
