/** Stored messages as they are answered. */

import {
  type EmailOptions as CoreEmailOptions,
  type StoredMessageSummary as CoreSummary,
  deliveryStates,
  excerptLength,
  messageClasses,
  messagePriorities,
  type Protocols,
  type StoredMessage,
  type StoredRelatedObject,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import { toMillisecondsText } from "../../timestamps.ts";
import { DeliveryBody, toDeliveryBody } from "../deliveries.ts";
import { instant } from "../schema-parts.ts";
import { SmsOptions } from "../sms-options-schema.ts";
import { EmailOptions } from "./requests.ts";

export const RelatedObjectBody = Type.Object(
  {
    type: Type.String({ description: "Kind of the object, such as order" }),
    id: Type.String({ description: "Which one of its kind" }),
    createdAt: instant("Since when the message is about it"),
    changedAt: instant("When this was last said"),
  },
  { title: "StoredRelatedObject" },
);

const AttachmentInfo = Type.Object(
  {
    name: Type.String({ description: "File name" }),
    contentType: Type.String({ description: "Media type" }),
    size: Type.Integer({ description: "Bytes" }),
    contentId: Type.Optional(
      Type.String({
        description: "Of an inline image: what `cid:` in the HTML names",
      }),
    ),
  },
  { title: "AttachmentInfo" },
);

const summaryProperties = {
  id: Type.String({ description: "Of the message, and of its delivery" }),
  createdAt: instant("When it was on disk"),
  changedAt: instant(
    "The last attempt's end, receipt, action or change of its related objects",
  ),
  sentAt: Type.Optional(
    instant(
      "When the last attempt began that a provider took, or may have taken",
    ),
  ),
  to: Type.String({ description: "Phone number or mail address, cleaned up" }),
  sender: Type.Optional(
    Type.String({ description: "Sender ID, or address of the sender" }),
  ),
  subject: Type.Optional(Type.String({ description: "Of a mail" })),
  templateSlug: Type.Optional(
    Type.String({
      description: "Of the template it was made from, which may be deleted",
    }),
  ),
  state: Type.Enum(deliveryStates, { description: "Where it stands" }),
  pymessState: Type.Object(
    {
      name: Type.String({ description: "Such as ERROR_RETRY" }),
      number: Type.Integer({ description: "Such as 9" }),
    },
    { title: "PymessState", description: "The same as pymess calls it" },
  ),
  backend: Type.Optional(
    Type.String({
      description:
        "The provider that handled it last, else the one that it was given",
    }),
  ),
  error: Type.Optional(
    Type.String({
      description: "Why the last attempt failed, or why none is made",
    }),
  ),
  tag: Type.Optional(
    Type.String({ description: "The label it was sent with" }),
  ),
  attempts: Type.Integer({ description: "How many attempts were made" }),
  priority: Type.Integer({
    description: `${messagePriorities.join(", ")}; 1 is the highest`,
  }),
  relatedObjects: Type.Array(RelatedObjectBody, {
    description: "What it is about",
  }),
  attachments: Type.Array(AttachmentInfo, {
    description: "Of a mail; the place in this list, from 1, names one",
  }),
  segments: Type.Optional(
    Type.Integer({ description: "Parts of a long text message" }),
  ),
  failed: Type.Boolean({
    description: "Could not be sent: pymess's ERROR and ERROR_RETRY",
  }),
  isFinal: Type.Boolean({ description: "Nothing more will come of it" }),
  isFailure: Type.Boolean({
    description:
      "It ended without reaching its recipient: pymess's ERROR and ERROR_UPDATE",
  }),
};

const StoredMessageSummary = Type.Object(
  {
    ...summaryProperties,
    excerpt: Type.String({
      description: `The first ${excerptLength} characters of the text`,
    }),
  },
  { title: "StoredMessageSummary" },
);

export const StoredMessageBody = Type.Object(
  {
    ...summaryProperties,
    text: Type.String({
      description: "What it says; of a mail its plain-text part",
    }),
    html: Type.Optional(
      Type.String({ description: "The HTML part of a mail" }),
    ),
    expiresAt: instant("No attempt is made after this"),
    notBefore: Type.Optional(instant("No attempt is made before this")),
    class: Type.Optional(
      Type.String({ description: messageClasses.join(", ") }),
    ),
    statusUrl: Type.Optional(
      Type.String({ description: "Is told of outcomes" }),
    ),
    sms: Type.Optional(SmsOptions),
    email: Type.Optional(EmailOptions),
    extraData: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "As it was sent with the message",
      }),
    ),
    extraSenderData: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          "What providers told of it, each attempt's merged into the one before",
      }),
    ),
    delivery: {
      ...DeliveryBody,
      description: "Its attempts, parts, receipts and what was done to it",
    },
  },
  { title: "StoredMessage" },
);

export const StoredMessageList = Type.Object(
  {
    messages: Type.Array(StoredMessageSummary, {
      description: "Newest first",
    }),
    next: Type.Optional(
      Type.String({
        description:
          "`before` of the next page, if there is one; a page may be shorter than asked for, or empty, and have a next one",
      }),
    ),
  },
  { title: "StoredMessageList" },
);

export const StoredBulk = Type.Object(
  {
    messages: Type.Array(
      Type.Object({
        id: Type.String({ description: "Of the message" }),
        to: Type.String({ description: "Its recipient, cleaned up" }),
        state: Type.Enum(deliveryStates, { description: "Where it stands" }),
      }),
      { description: "In the order of `to`, in which nobody is twice" },
    ),
  },
  { title: "StoredBulk" },
);

export function toSummaryBody(
  stored: CoreSummary,
): Static<typeof StoredMessageSummary> {
  return { ...toRecord(stored), excerpt: stored.excerpt };
}

export function toStoredMessageBody(
  stored: StoredMessage,
  protocols: Protocols,
): Static<typeof StoredMessageBody> {
  const { text, html, email, extraData, extraSenderData } = stored;
  const { message, delivery } = stored;
  const { sms, notBefore, statusUrl } = message;
  return {
    ...toRecord(stored),
    text,
    ...(html !== undefined && { html }),
    expiresAt: toMillisecondsText(delivery.expiresAt ?? message.expiresAt),
    ...(notBefore !== undefined && {
      notBefore: toMillisecondsText(notBefore),
    }),
    ...(message.class !== undefined && { class: message.class }),
    ...(statusUrl !== undefined && { statusUrl }),
    ...(sms && {
      sms: { ...sms, ...(sms.params && { params: { ...sms.params } }) },
    }),
    ...(email && { email: toEmailBody(email) }),
    ...(extraData && { extraData: { ...extraData } }),
    ...(extraSenderData && { extraSenderData: { ...extraSenderData } }),
    delivery: toDeliveryBody(message, delivery, protocols),
  };
}

/** What was given; not what core keeps beside it. */
function toEmailBody(options: CoreEmailOptions): Static<typeof EmailOptions> {
  const { from, senderName, replyTo, unsubscribeUrl } = options;
  return {
    ...(from !== undefined && { from }),
    ...(senderName !== undefined && { senderName }),
    ...(replyTo !== undefined && { replyTo }),
    ...(unsubscribeUrl !== undefined && { unsubscribeUrl }),
  };
}

export function toBulkBody(
  stored: readonly StoredMessage[],
): Static<typeof StoredBulk> {
  return {
    messages: stored.map(({ id, to, delivery: { state } }) => ({
      id,
      to,
      state,
    })),
  };
}

export function toRelatedBody(
  objects: readonly StoredRelatedObject[],
): Static<typeof RelatedObjectBody>[] {
  return objects.map(({ createdAt, changedAt, ...object }) => ({
    ...object,
    createdAt: toMillisecondsText(createdAt),
    changedAt: toMillisecondsText(changedAt),
  }));
}

function toRecord(stored: Omit<StoredMessage, "text" | "message">) {
  const { id, createdAt, changedAt, sentAt, to, sender, subject } = stored;
  const { templateSlug, pymessState, backend, error, tag, priority } = stored;
  const { failed, isFinal, isFailure, delivery } = stored;
  return {
    id,
    createdAt: toMillisecondsText(createdAt),
    changedAt: toMillisecondsText(changedAt),
    ...(sentAt !== undefined && { sentAt: toMillisecondsText(sentAt) }),
    to,
    ...(sender !== undefined && { sender }),
    ...(subject !== undefined && { subject }),
    ...(templateSlug !== undefined && { templateSlug }),
    state: delivery.state,
    pymessState: { ...pymessState },
    ...(backend !== undefined && { backend }),
    ...(error !== undefined && { error }),
    ...(tag !== undefined && { tag }),
    attempts: delivery.attemptCount,
    priority,
    relatedObjects: toRelatedBody(stored.relatedObjects),
    attachments: stored.attachments.map((it) => ({ ...it })),
    ...(delivery.segments !== undefined && { segments: delivery.segments }),
    failed,
    isFinal,
    isFailure,
  };
}
