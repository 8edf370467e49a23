/** What a stored message is sent with, as it stands in our own API. */

import {
  accentLevels,
  type IdempotentRequest,
  mailLimits,
  maxMessageBytes,
  maxTimeToLiveSeconds,
  type StoredChannel,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";
import { messageOptionProperties } from "../message-options-schema.ts";
import { parseInstant } from "../schema-parts.ts";
import { SmsOptions } from "../sms-options-schema.ts";
import { givenAttachments, toAttachments } from "./attachments.ts";

/** Of one bulk. */
export const maxBulkRecipients = 10_000;

/** In characters; tags of messages to topics may be longer. */
const maxTagLength = 50;

const maxWaitSeconds = 30;

const optionCode = failsWith("MESSAGE_OPTION_INVALID");

export const EmailOptions = Type.Object(
  {
    backend: Type.Optional(
      Type.String({
        description:
          "Name of a configured backend of mails: it goes through this one and no other",
      }),
    ),
    from: Type.Optional(
      Type.String({
        description:
          "Address of the sender; by default as the service is set up",
      }),
    ),
    senderName: Type.Optional(
      Type.String({ description: "Shown beside the sender's address" }),
    ),
    replyTo: Type.Optional(
      Type.String({ description: "The address that answers go to" }),
    ),
    unsubscribeUrl: Type.Optional(
      Type.String({
        description:
          "Where one POST ends the recipient's subscription (RFC 8058)",
      }),
    ),
  },
  { title: "EmailOptions", description: "What the mail is sent with" },
);

const options = {
  accents: Type.Optional(
    Type.Enum([...accentLevels], {
      description:
        "What becomes of characters that do not fit the cheaper alphabet: `keep` leaves them, `strip-ascii` drops all that is not ASCII once accents are off, `transliterate` writes something close; by default as the service is set up",
      ...optionCode,
    }),
  ),
  sender: Type.Optional(
    Type.String({
      description:
        "Sender ID, the same as `sms.sender`; by default as the service is set up",
      ...optionCode,
    }),
  ),
  backend: Type.Optional(
    Type.String({
      description:
        "Name of a configured provider, of mails of a backend: it goes through this one and no other",
      ...optionCode,
    }),
  ),
  sendImmediately: Type.Optional(
    Type.Boolean({
      description: "At once, also where messages wait for the batch sender",
      ...optionCode,
    }),
  ),
  timeToLiveSeconds: Type.Optional(
    Type.Number({
      description: `How long it is attempted, 1 to ${maxTimeToLiveSeconds}; by default as direct messages are`,
      ...failsWith("TIME_TO_LIVE_INVALID"),
    }),
  ),
  ...messageOptionProperties,
  tag: Type.Optional(
    Type.String({
      maxLength: maxTagLength,
      description: `A label to find messages by, of ${maxTagLength} characters at most`,
      ...optionCode,
    }),
  ),
};

/** Of texts and of mails; {@link ofChannel} leaves out the others'. */
const channelOptions = {
  sms: Type.Optional({ ...SmsOptions, ...optionCode }),
  email: Type.Optional({ ...EmailOptions, ...optionCode }),
};

const attachments = {
  attachments: Type.Optional(givenAttachments("MESSAGE_INVALID")),
};

const content = {
  text: Type.Optional(
    Type.String({
      maxLength: maxMessageBytes,
      description:
        "What it says; of a mail its plain-text part, made of `html` where it is absent",
      ...failsWith("MESSAGE_INVALID"),
    }),
  ),
  subject: Type.Optional(
    Type.String({
      description: "One line of 512 characters at most",
      ...failsWith("SUBJECT_INVALID"),
    }),
  ),
  html: Type.Optional(
    Type.String({
      maxLength: mailLimits.htmlBytes,
      description: `The HTML part, of ${mailLimits.htmlBytes} bytes at most`,
      ...failsWith("MESSAGE_INVALID"),
    }),
  ),
  ...attachments,
};

const waitSeconds = {
  waitSeconds: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: maxWaitSeconds,
      default: 0,
      description: `How long to wait for the outcome of the first attempt, 0 to ${maxWaitSeconds}; 0: it is answered once it is on disk`,
    }),
  ),
};

const to = Type.String({ description: "Phone number or mail address" });

const NewMessage = Type.Object({
  to,
  ...content,
  ...options,
  ...channelOptions,
  ...waitSeconds,
});

const NewBulk = Type.Object({
  to: Type.Array(to, {
    minItems: 1,
    maxItems: maxBulkRecipients,
    description: `1 to ${maxBulkRecipients} recipients, each once; one that cannot be used keeps all from being stored`,
    ...failsWith("RECIPIENTS_INVALID"),
  }),
  ...content,
  ...options,
  ...channelOptions,
});

const NewFromTemplate = Type.Object({
  to,
  slug: Type.String({ description: "Of a template of this channel" }),
  context: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: "What the template's variables stand for",
    }),
  ),
  ...attachments,
  ...options,
  ...channelOptions,
  ...waitSeconds,
});

/** Members that the other channel has. */
const foreign = {
  sms: ["subject", "html", "attachments", "email"],
  email: ["sms", "sender", "accents"],
} as const satisfies Record<StoredChannel, readonly string[]>;

const titles = {
  sms: { one: "NewSms", bulk: "NewSmsBulk", template: "NewSmsFromTemplate" },
  email: {
    one: "NewEmail",
    bulk: "NewEmailBulk",
    template: "NewEmailFromTemplate",
  },
} as const;

/** The bodies of one channel's requests. */
export function requestSchemas(channel: StoredChannel) {
  const { one, bulk, template } = titles[channel];
  return {
    message: ofChannel(NewMessage, channel, one),
    bulk: ofChannel(NewBulk, channel, bulk),
    fromTemplate: ofChannel(NewFromTemplate, channel, template),
  };
}

function ofChannel<
  Schema extends { readonly properties: Record<string, unknown> },
>(schema: Schema, channel: StoredChannel, title: string): Schema {
  const { required, properties } = schema as Schema & {
    required?: readonly string[];
  };
  const own = Object.entries(properties).filter(
    ([name]) => !foreign[channel].some((other) => other === name),
  );
  // A text must say something; a mail may have HTML alone.
  const isTextNeeded = channel === "sms" && "text" in properties;
  return {
    ...schema,
    title,
    required: [...(required ?? []), ...(isTextNeeded ? ["text"] : [])],
    properties: Object.fromEntries(own),
  };
}

type GivenOptions = Omit<
  Static<typeof NewMessage>,
  "to" | "text" | "subject" | "html" | "waitSeconds"
> &
  Pick<Static<typeof NewMessage>, "waitSeconds">;

/**
 * The body with the members as core names them; bytes where base64 was.
 *
 * @throws CarillonError MESSAGE_INVALID, MESSAGE_OPTION_INVALID
 * @throws RequestError REQUEST_INVALID for a `notBefore` that is no instant
 */
export function toStoredRequest<Body extends GivenOptions>(
  { attachments, waitSeconds = 0, timeToLiveSeconds, ...body }: Body,
  repeatable: IdempotentRequest | undefined,
) {
  const { notBefore } = body;
  return {
    ...body,
    timeToLive: timeToLiveSeconds,
    notBefore:
      notBefore === undefined
        ? undefined
        : parseInstant(notBefore, "notBefore"),
    attachments: attachments && toAttachments(attachments),
    waitMs: waitSeconds * 1000,
    repeatable,
  };
}
